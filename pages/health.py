"""Data health: whether everything works, and if not, what is wrong and what helps.

The page is one part that reloads itself (`app/health/board.py`).
"""

from app.health import board

# Load and render
board.show_board()
