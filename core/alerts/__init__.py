"""Alert rules, what they make of observations, and the incidents that follow."""
