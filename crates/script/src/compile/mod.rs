//! From the syntax tree to a program.
