//! keymuster connector: walks directory trees, single files and standard input.
