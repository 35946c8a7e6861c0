//! One file or folder for each Kamailio module that Tandem provides.
