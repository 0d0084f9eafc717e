"""Files that outlive a request: where they are kept, and under which names.

Holds: `Storage`, what every store of files does; one in a folder, one in memory.
Imports: floor 0; of `http` the rules of safe names and paths.
Never: lets a name lead out of its store, replaces a file that is there, or knows an app or a model.
"""

from .base import Content, Storage
from .errors import StorageFull
from .filesystem import FileSystemStorage
from .memory import MemoryStorage

__all__ = ["Content", "FileSystemStorage", "MemoryStorage", "Storage", "StorageFull"]
