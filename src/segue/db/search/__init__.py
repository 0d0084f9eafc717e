"""Full text search.

Holds: `SearchField`, the words of what users type, the index on each database, `SearchRank`.
Imports: expressions, indexes, queries, SQLAlchemy.
Never: lets a character that users type be syntax of a database.
"""
