//! The workbook of a sheet: what is filled in, how, and the lists behind it.
//!
//! Three worksheets: the one to fill in, which stands first, since a spreadsheet saves the
//! open one as CSV; instructions; and the lists, hidden and locked. Nothing but the first
//! row of the first worksheet is written: an empty row must stay one.

use super::{Cells, Column, Role, Sheet};
use crate::error::Error;
use rust_xlsxwriter::{
    Color, DataValidation, DataValidationErrorStyle, DataValidationRule, DocProperties, ExcelDateTime, Format,
    FormatAlign, FormatBorder, Formula, Note, Workbook, Worksheet, XlsxError, utility::column_number_to_name,
};

/// The years in which a day that is written can lie.
const YEARS: (u16, u16) = (2000, 2099);
/// The years in which a client can be born.
const BIRTH_YEARS: (i32, i32) = (1900, 2099);
const DARK: Color = Color::RGB(0x1F_3A_5F);
const BLUE: Color = Color::RGB(0x2F_6F_9F);
const GREEN: Color = Color::RGB(0x2E_7D_5B);
const RED: Color = Color::RGB(0x8A_3B_2E);

impl Sheet {
    /// The bytes of the workbook, for the sheet saved under this name.
    ///
    /// # Errors
    /// When a text of the codebook is too long for a spreadsheet.
    pub(crate) fn workbook(&self, csv: &str, rows: u32) -> Result<Vec<u8>, Error> {
        self.write(csv, rows).map_err(|error| Error::Other(format!("the workbook cannot be written: {error}")))
    }

    fn write(&self, csv: &str, rows: u32) -> Result<Vec<u8>, XlsxError> {
        let mut workbook = Workbook::new();
        workbook.set_properties(&DocProperties::new().set_title(self.words.title));
        self.fill(workbook.add_worksheet(), rows)?;
        self.instructions(workbook.add_worksheet(), csv)?;
        self.lists(workbook.add_worksheet())?;
        workbook.save_to_buffer()
    }

    fn fill(&self, sheet: &mut Worksheet, rows: u32) -> Result<(), XlsxError> {
        sheet.set_name(self.words.fill)?.set_freeze_panes(1, 1)?.set_row_height(0, 48)?;
        sheet.set_landscape().set_repeat_rows(0, 0)?.set_print_fit_to_pages(1, 0);
        for (at, column) in (0u16..).zip(&self.columns) {
            sheet.set_column_width(at, width(column))?;
            sheet.set_column_format(at, &cell_format(column))?;
            sheet.write_with_format(0, at, column.header.as_str(), &header_format(column))?;
            let lines = u32::try_from(column.note.chars().count() / 38 + 2).unwrap_or(20);
            let note = Note::new(column.note.as_str()).add_author_prefix(false).set_width(260).set_height(16 * lines);
            sheet.insert_note(0, at, &note)?;
            if let Some(validation) = self.validation(column, at)? {
                sheet.add_data_validation(1, at, rows, at, &validation)?;
            }
        }
        Ok(())
    }

    fn validation(&self, column: &Column, at: u16) -> Result<Option<DataValidation>, XlsxError> {
        let words = self.words;
        let (rule, wrong) = match column.cells {
            Cells::Text => return Ok(None),
            Cells::Date => {
                let between = DataValidationRule::Between(
                    ExcelDateTime::from_ymd(YEARS.0, 1, 1)?,
                    ExcelDateTime::from_ymd(YEARS.1, 12, 31)?,
                );
                (DataValidation::new().allow_date(between), words.no_date)
            }
            Cells::Year => {
                let between = DataValidationRule::Between(BIRTH_YEARS.0, BIRTH_YEARS.1);
                (DataValidation::new().allow_whole_number(between), words.no_year)
            }
            Cells::OneOf(list) => (DataValidation::new().allow_list_formula(self.range(list)), words.not_listed),
            Cells::Halves(lo, hi) => {
                let cell = format!("{}2", column_number_to_name(at));
                let rule = format!("=AND(ISNUMBER({cell}),{cell}>={lo},{cell}<={hi},MOD({cell}*2,1)=0)");
                (DataValidation::new().allow_custom(Formula::new(rule)), words.no_score)
            }
        };
        let rule = rule.ignore_blank(true).set_error_style(DataValidationErrorStyle::Stop);
        Ok(Some(rule.set_error_title(words.wrong)?.set_error_message(wrong)?))
    }

    /// Where a list stands.
    fn range(&self, list: usize) -> Formula {
        let column = column_number_to_name(u16::try_from(list).expect("a list for each dimension"));
        Formula::new(format!("='{}'!${column}$2:${column}${}", self.words.lists, self.lists[list].texts.len() + 1))
    }

    fn instructions(&self, sheet: &mut Worksheet, csv: &str) -> Result<(), XlsxError> {
        sheet.set_name(self.words.help)?.set_screen_gridlines(false);
        sheet.set_column_width(0, 34)?.set_column_width(1, 92)?;
        sheet.set_print_fit_to_pages(1, 0);
        let title = Format::new().set_bold().set_font_size(16).set_font_color(DARK);
        let heading = Format::new().set_bold().set_font_color(BLUE).set_align(FormatAlign::Top).set_text_wrap();
        let text = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        sheet.write_with_format(0, 0, self.words.title, &title)?;
        let columns = self.columns.iter().map(|column| (column.header.as_str(), column.note.clone()));
        let told = self.words.instructions.iter().map(|(what, how)| (*what, how.replace("{csv}", csv)));
        let separator = std::iter::once((self.words.columns, String::new()));
        let mut row = 2;
        for (what, how) in told.chain(separator).chain(columns) {
            if how.is_empty() {
                row += 1;
                let subtitle = Format::new().set_bold().set_font_size(13).set_font_color(DARK);
                sheet.write_with_format(row, 0, what, &subtitle)?;
            } else {
                sheet.write_with_format(row, 0, what, &heading)?;
                sheet.write_with_format(row, 1, how.as_str(), &text)?;
                // Spreadsheets do not agree on the height of rows that wrap.
                let lines = (how.chars().count() / 100).max(what.chars().count() / 32) + 1;
                sheet.set_row_height(row, 16 * u32::try_from(lines).unwrap_or(1) + 4)?;
            }
            row += 1;
        }
        Ok(())
    }

    fn lists(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.set_name(self.words.lists)?.set_hidden(true).protect();
        for (at, list) in (0u16..).zip(&self.lists) {
            sheet.set_column_width(at, 40)?;
            sheet.write_with_format(0, at, list.title.as_str(), &Format::new().set_bold())?;
            sheet.write_column(1, at, &list.texts)?;
        }
        Ok(())
    }
}

fn width(column: &Column) -> f64 {
    match column.cells {
        Cells::Text => 18.0,
        Cells::Date => 12.0,
        Cells::Year => 13.0,
        Cells::OneOf(_) => match column.role {
            Role::Restricted | Role::Hidden => 13.0,
            Role::Dimension { several: true, .. } => 38.0,
            _ => 24.0,
        },
        Cells::Halves(..) => 12.0,
    }
}

fn cell_format(column: &Column) -> Format {
    // Long texts end at their column.
    let format = Format::new().set_border(FormatBorder::Thin).set_border_color(Color::RGB(0xD9_D9_D9));
    match column.cells {
        // Leading zeros stay, and long numbers stay numbers.
        Cells::Text => format.set_num_format("@"),
        Cells::Date => format.set_num_format("d.m.yyyy").set_align(FormatAlign::Left),
        Cells::Year | Cells::Halves(..) => format.set_align(FormatAlign::Center),
        Cells::OneOf(_) => format,
    }
}

fn header_format(column: &Column) -> Format {
    let color = match column.role {
        Role::Client | Role::Date | Role::BirthYear => DARK,
        Role::Dimension { .. } => BLUE,
        Role::Score(_) => GREEN,
        Role::Restricted | Role::Hidden => RED,
    };
    let format = Format::new().set_bold().set_font_color(Color::White).set_background_color(color);
    format.set_text_wrap().set_align(FormatAlign::VerticalCenter).set_border(FormatBorder::Thin)
}
