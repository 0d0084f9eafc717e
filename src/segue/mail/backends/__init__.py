"""What takes a mail further: a server, the terminal, a folder, a list, nothing.

Holds: `MailBackend`, to be subclassed, and those that Segue brings.
Imports: the message and its parts.
Never: reads a configuration; whoever makes one passes it what it needs.
"""
