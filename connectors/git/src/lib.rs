//! keymuster connector: reads git repositories with full history, in pack order.
