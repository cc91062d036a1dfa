//! The mapping of a sheet: how a node reads it once it is saved as CSV.

use super::{Column, Role, Sheet};
use std::fmt::Write as _;

impl Sheet {
    /// The text of a mapping file for the sheet saved under this name.
    pub(crate) fn mapping(&self, csv: &str) -> String {
        let mut text = format!(
            "# Written by `koonti codebook template`: how a node reads that sheet once it is saved as\n\
             # {csv}. Lay both beside each other, then try `koonti-node import --dry-run`. What the\n\
             # keys mean is explained in the register.toml that comes with the program.\n\n\
             # The data source whose allowance is spent, and what table requests call the register.\n\
             # A sheet about clients who are in another register too belongs to that one's source.\n\
             source = \"adult-social-work\"\nregister = \"adult-social-work\"\n\
             # coverage = \"pilot\"  # or \"some\" units, or \"all\": state which is true, for tables to say it\n\
             file = {}\n\n\
             [format]\n\
             delimiter = \";\"\n\
             # What Excel calls \"CSV UTF-8\". Its plain \"CSV\" is \"windows-1252\".\n\
             encoding = \"utf-8\"\n\
             date = \"d.m.yyyy\"\n\
             decimal = \",\"\n\n\
             [columns]\n",
            quoted(csv)
        );
        for (at, column) in self.columns.iter().enumerate() {
            let header = quoted(&column.header);
            let _ = match column.role {
                Role::Client => writeln!(text, "client = {header}"),
                Role::Date => writeln!(text, "date = {header}"),
                Role::BirthYear => writeln!(text, "birth_year = {header}"),
                Role::Dimension { key, several: false } => writeln!(text, "{key} = {header}"),
                Role::Dimension { key, several: true } if !self.columns[..at].iter().any(|c| c.is_of(key)) => {
                    let of_key = self.columns.iter().filter(|c| c.is_of(key));
                    let headers: Vec<String> = of_key.map(|c| quoted(&c.header)).collect();
                    let primary = if key == "need" { "primary = \"first\"\n" } else { "" };
                    write!(text, "{key} = {{ columns = [{}] }}\n{primary}", headers.join(", "))
                }
                Role::Dimension { .. } | Role::Score(_) | Role::Restricted | Role::Hidden => Ok(()),
            };
        }
        let scores = self.columns.iter().filter_map(|column| match &column.role {
            Role::Score(id) => Some((id, &column.header)),
            _ => None,
        });
        for (at, (id, header)) in scores.enumerate() {
            let section = if at == 0 { "\n[columns.scores]\n" } else { "" };
            let _ = writeln!(text, "{section}{id} = {}", quoted(header));
        }
        text.push_str("\n# Who must not be counted, and who must not be placed.\n[restrict]\n");
        for column in &self.columns {
            let key = match column.role {
                Role::Restricted => "exclude_if",
                Role::Hidden => "hide_area_if",
                _ => continue,
            };
            let (header, yes) = (quoted(&column.header), quoted(self.words.yes));
            let _ = writeln!(text, "{key} = [{{ column = {header}, value = {yes} }}]");
        }
        text
    }
}

impl Column {
    fn is_of(&self, key: &str) -> bool {
        matches!(self.role, Role::Dimension { key: own, .. } if own == key)
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
