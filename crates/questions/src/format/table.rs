//! Tables for a terminal.

use crate::{answer::Answer, cell, question::Question};
use comfy_table::{ContentArrangement, LineStyle, Table, presets};
use std::{cmp::Reverse, fmt::Write};

/// Limit of a cell, in characters.
const MOST: usize = 500;

/// Prints the rows of one answer, or a summary of several. New findings are few, so those of several answers follow.
pub(super) fn text(answers: &[Answer<'_>], width: Option<u16>) -> String {
    if let [one] = answers {
        return rows(one, width);
    }
    let new = sorted(answers).into_iter().filter(|it| it.new_since.is_some() && !it.rows.is_empty());
    new.fold(summary(answers, width), |out, answer| format!("{out}\n{}", rows(answer, width)))
}

fn rows(answer: &Answer<'_>, width: Option<u16>) -> String {
    let question = answer.question;
    let mut out = format!("{} ({})\n", question.title, question.severity);
    if !answer.rows.is_empty() {
        let cells = answer.rows.iter().map(|row| row.iter().map(|value| cell::text(value, MOST)).collect());
        let heads = question.columns.iter().map(|column| column.replace('_', " "));
        let _ = writeln!(out, "{}", table(heads, cells, width));
    }
    let _ = writeln!(out, "{}", answer.found());
    out
}

/// One line for each answer, the most severe findings first.
fn summary(answers: &[Answer<'_>], width: Option<u16>) -> String {
    let sorted = sorted(answers);
    let lines = sorted.iter().map(|answer| {
        let question = answer.question;
        vec![question.severity.to_string(), question.name.clone(), answer.found(), question.title.clone()]
    });
    let heads = ["severity", "question", "assets", "title"].map(str::to_owned);
    // Findings of a baseline are not new.
    let is_new = answers.iter().any(|answer| answer.new_since.is_some());
    let found = answers.iter().filter(|it| !(it.rows.is_empty() || is_new && it.is_baseline)).count();
    let new = if is_new { "new " } else { "" };
    let total = format!("{found} of {} questions have {new}findings", answers.len());
    format!("{}\n{total}\n", table(heads.into_iter(), lines, width))
}

/// Answers with findings first, the most severe ones before others.
fn sorted<'a, 'b>(answers: &'a [Answer<'b>]) -> Vec<&'a Answer<'b>> {
    let mut sorted: Vec<&Answer<'_>> = answers.iter().collect();
    sorted.sort_by_key(|it| (it.rows.is_empty(), Reverse(it.question.severity), it.question.name.clone()));
    sorted
}

/// The list of all questions, by service.
pub fn listing(questions: &[Question], width: Option<u16>) -> String {
    let mut sorted: Vec<&Question> = questions.iter().collect();
    sorted.sort_by_key(|it| (it.service.clone(), Reverse(it.severity), it.name.clone()));
    let lines =
        sorted.iter().map(|it| vec![it.service.clone(), it.severity.to_string(), it.name.clone(), it.title.clone()]);
    let heads = ["service", "severity", "question", "title"].map(str::to_owned);
    format!("{}\n", table(heads.into_iter(), lines, width))
}

fn table(heads: impl Iterator<Item = String>, rows: impl Iterator<Item = Vec<String>>, width: Option<u16>) -> String {
    let mut table = Table::new();
    let style = presets::UTF8_HORIZONTAL_ONLY.row_separator(LineStyle::none());
    table.load_style(style).set_header(heads).add_rows(rows);
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(40));
    }
    let lines: Vec<String> = table.to_string().lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::{hostile, old_keys};

    #[test]
    fn one_answer_shows_its_rows() {
        let question = old_keys();
        let text = text(&[hostile(&question)], None);
        assert!(text.starts_with("Old keys (high)\n") && text.ends_with("\n40 checked, 1 with findings\n"), "{text}");
        assert!(text.contains("AKIA1") && !text.contains(['\u{1b}', '\u{9b}']), "{text}");
    }

    #[test]
    fn several_answers_show_numbers() {
        let question = old_keys();
        let none = Answer { rows: Vec::new(), ..hostile(&question) };
        let text = text(&[none, hostile(&question)], Some(200));
        let found = [text.find("checked, 1 with"), text.find("checked, 0 with")];
        assert!(found[0].is_some() && found[0] < found[1], "{text}");
        assert!(text.ends_with("1 of 2 questions have findings\n"), "{text}");
    }

    #[test]
    fn new_findings_of_several_answers_are_shown() {
        let question = old_keys();
        let new = || Answer { new_since: Some("01J".into()), ..hostile(&question) };
        let none = Answer { rows: Vec::new(), ..new() };
        let baseline = Answer { is_baseline: true, ..hostile(&question) };
        let text = text(&[none, new(), baseline], None);
        assert!(text.contains("1 of 3 questions have new findings\n\nOld keys (high)\n"), "{text}");
        assert_eq!((text.matches("AKIA1").count(), text.matches("with new findings\n").count()), (1, 1), "{text}");
    }
}
