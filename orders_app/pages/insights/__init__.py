"""The page of figures for staff: what is asked, what is read, and how it is shown."""
