"""The ``symtrip`` command, one file per subcommand."""
