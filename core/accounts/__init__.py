"""Teams and people: whose data it is and who acts."""
