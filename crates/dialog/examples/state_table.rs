//! Prints the state table: `cargo run -p tandem-dialog --example state_table`.

fn main() {
    print!("{}", tandem_dialog::state::table_text());
}
