//! Reading the tables of `tests/tables/`.

/// One fragment of script, the request that runs it, and how the next hop answers.
#[derive(Debug)]
pub struct Case {
    pub name: String,
    /// The body of the case's route.
    pub script: String,
    /// Route blocks beside it.
    pub routes: String,
    pub method: String,
    pub uri: String,
    /// Header lines as they go out.
    pub headers: Vec<String>,
    /// Standard headers to leave out.
    pub without: Vec<String>,
    pub to_tag: String,
    /// Status code and phrase that the next hop answers with.
    pub answer: Option<(u16, String)>,
}

impl Case {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            script: String::new(),
            routes: String::new(),
            method: "INVITE".to_owned(),
            uri: "sip:alice@%NET%.50:5060;p=1".to_owned(),
            headers: Vec::new(),
            without: Vec::new(),
            to_tag: String::new(),
            answer: None,
        }
    }

    /// Takes a directive line; false if it is none.
    fn directive(&mut self, line: &str) -> bool {
        let Some((name, value)) = line.split_once(": ") else {
            return false;
        };
        match name {
            "method" => self.method = value.to_owned(),
            "uri" => self.uri = value.to_owned(),
            "header" => self.headers.push(value.to_owned()),
            "without" => self.without.push(value.to_owned()),
            "tag" => self.to_tag = format!(";tag={value}"),
            "answer" => {
                let (code, phrase) = value.split_once(' ').unwrap_or((value, ""));
                self.answer = Some((code.parse().expect("a status code"), phrase.to_owned()));
            }
            _ => return false,
        }
        true
    }
}

/// A table with one case a line: `= expression`, `? condition`, `$ format`.
pub fn read_lines(text: &str) -> Vec<Case> {
    let rows = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.map(|row| {
        let (kind, content) = row.split_once(' ').expect("a kind and its content");
        let mut case = Case::new(row);
        case.script = match kind {
            "=" => format!(
                "\t$avp(r) = \"untouched\";\n\t$avp(r) = {content};\n\t\
                 if (typeof(\"$avp(r)\", \"int\")) xlog(\"L_NOTICE\", \"$avp(r) number\\n\");\n\t\
                 else xlog(\"L_NOTICE\", \"$avp(r)\\n\");\n"
            ),
            "?" => format!(
                "\tif ({content}) xlog(\"L_NOTICE\", \"T\\n\");\n\telse xlog(\"L_NOTICE\", \"F\\n\");\n"
            ),
            "$" => format!("\txlog(\"L_NOTICE\", \"{content}\\n\");\n"),
            other => panic!("unknown kind of row {other:?}"),
        };
        case
    })
    .collect()
}

/// A table of sections: `=== name`, directives, script, and after `routes:` further route blocks.
pub fn read_sections(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut outside = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            cases.push(Case::new(name));
            outside = false;
            continue;
        }
        let Some(case) = cases.last_mut() else {
            continue;
        };
        if line == "routes:" {
            outside = true;
        } else if outside || line.starts_with('\t') || !case.directive(line) {
            let target = if outside {
                &mut case.routes
            } else {
                &mut case.script
            };
            target.push_str(line);
            target.push('\n');
        }
    }
    cases
}
