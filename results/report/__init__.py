"""The report on studies: one page that needs nothing but itself, with its figures and tables as files beside it."""
