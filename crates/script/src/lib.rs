//! The kamailio.cfg language: preprocessor, parser, checker, compiler and a machine that can be suspended.
