#!/usr/bin/env python3
"""Fills in the coding sheet of `koonti codebook template` and imports it, in each language.

Usage: sheet.py [--soffice PROGRAM]

Needs openpyxl, and `koonti` and `koonti-node` in target/debug. Looks at the workbook
(lists cover every code of the codebook, each column refuses what it should, nothing but
the first row is written), fills in every text of every list, saves as Excel does in a
Finnish locale (or has LibreOffice do it), imports that with the mapping as it was written,
and compares the report with counts of its own. Exits 1 when anything differs.
"""

import csv
import datetime
import io
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import openpyxl
from openpyxl.utils import range_boundaries

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODEBOOK = json.loads((ROOT / "config/codebook.json").read_text(encoding="utf-8"))
DIMENSIONS = {one["id"]: one for one in CODEBOOK["dimensions"]}
KEYS = {"household": "household", "labour_status": "labour_status", "factors": "contributing_factor"}
KEYS |= {"sex": "sex", "area": "area", "need": "need", "service_task": "service_task"}
YES = {"fi": "kyllä", "sv": "ja", "en": "yes"}
ROWS, CLIENTS = 420, 320


def check(holds, what):
    if not holds:
        sys.exit(f"sheet.py: {what}")


def run(program, *arguments, folder):
    command = [ROOT / "target/debug" / program, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    check(done.returncode == 0, f"{program} {arguments}: {done.stderr}")
    return done.stdout


# --- the workbook ---------------------------------------------------------------


def lists_of(book, sheet):
    """The texts that each column offers, by column; what else is checked, by column."""
    offered, other = {}, {}
    for one in sheet.data_validations.dataValidation:
        check(len(one.sqref.ranges) == 1 and one.errorStyle in (None, "stop"), "a validation of one range that stops")
        left, top, right, bottom = next(iter(one.sqref.ranges)).bounds
        check((left, top, bottom) == (right, 2, ROWS + 1), f"a validation of {one.sqref}")
        if one.type != "list":
            other[left] = one
            continue
        name, where = one.formula1.lstrip("=").rsplit("!", 1)
        check(where.count("$") == 4, f"a list that moves with its cell: {where}")
        hidden = book[name.strip("'")]
        check(hidden.sheet_state == "hidden" and hidden.protection.sheet, "the lists are hidden and locked")
        a, first, b, last = range_boundaries(where.replace("$", ""))
        check(a == b, "a list of one column")
        offered[left] = [hidden.cell(row, a).value for row in range(first, last + 1)]
        check(hidden.cell(last + 1, a).value is None, "a list to its end")
    return offered, other


def columns_of(mapping):
    """Headers by their key in the mapping; of a key with several columns, all."""
    found = {}
    for key, value in re.findall(r"^(\w+) = (.+)$", mapping, re.M):
        found[key] = re.findall(r'"([^"]*)"', value)
    return found


def look(book, mapping, lang):
    """The sheet to fill in, and of each column its header and texts."""
    sheet = book.worksheets[0]
    check(book.active is sheet and sheet.sheet_state == "visible", "the sheet to fill in is the one that is open")
    check(sheet.freeze_panes == "B2", "the first row and column stay")
    check(sheet.max_row == 1, "nothing is written but the first row")
    headers = [cell.value for cell in sheet[1]]
    check(all(cell.comment and cell.comment.text.strip() for cell in sheet[1]), "a note on each column")
    check(all(sheet.column_dimensions[cell.column_letter].width >= 10 for cell in sheet[1]), "widths")
    offered, other = lists_of(book, sheet)
    columns = columns_of(mapping)
    coded = 0
    for key, dimension in KEYS.items():
        if dimension not in DIMENSIONS:
            check(key not in columns, f"{key} is mapped, and the codebook does not have it")
            continue
        names = columns[key]
        check(len(names) == (1 if DIMENSIONS[dimension]["kind"] == "exclusive" else 3), f"the columns of {key}")
        for name in names:
            texts = offered[headers.index(name) + 1]
            codes = [code_of(dimension, text, lang) for text in texts]
            check(sorted(codes) == sorted(c["code"] for c in DIMENSIONS[dimension]["codes"]), f"the list of {name}")
            coded += 1
    for key in ("exclude_if", "hide_area_if"):
        name, word = columns[key]
        check(word == YES[lang] and offered[headers.index(name) + 1] == [word], f"the mark of {name}")
    check(len(offered) == coded + 2, "a list for each column that is mapped so")
    date, born = (headers.index(columns[key][0]) + 1 for key in ("date", "birth_year"))
    check(other[date].type == "date" and other[date].operator in (None, "between"), "dates are checked")
    check(other[born].type == "whole" and int(other[born].formula1) == 1900, "years of birth are checked")
    for score in CODEBOOK["scores"]:
        at = headers.index(columns[score["id"]][0]) + 1
        letter = sheet.cell(1, at).column_letter
        rule = other[at].formula1
        bounds = f"{letter}2>={score['lo']},{letter}2<={score['hi']},MOD({letter}2*2,1)=0"
        check(other[at].type == "custom" and bounds in rule, f"{score['id']} is checked: {rule}")
    check(len(other) == 2 + len(CODEBOOK["scores"]), "no other check")
    return sheet, headers, offered, columns


def code_of(dimension, text, lang):
    """What a text of a list means, by the codebook alone."""
    names = {f"{one['code']} {one[lang]}": one["code"] for one in DIMENSIONS[dimension]["codes"]}
    names |= {one[lang]: one["code"] for one in DIMENSIONS[dimension]["codes"]}
    check(text in names, f"{text} is none of {dimension}")
    return names[text]


# --- filling in -------------------------------------------------------------------


def fill(sheet, headers, offered, columns, lang):
    """Every text of every list, over two quarters; the rows, as dictionaries."""
    rows = []
    for client in range(CLIENTS):
        visits = 2 if client % 4 == 0 else 1
        for visit in range(visits):
            later = client % 8 == 0 and visit == 1
            row = {columns["client"][0]: f"{client:05}"}
            row[columns["date"][0]] = datetime.date(2026, 8 if later else 4, 1 + (client + visit) % 28)
            row[columns["birth_year"][0]] = 1940 + client % 65 if client % 20 else 2012
            for at, texts in offered.items():
                name, single = headers[at - 1], len(texts) == 1
                if single:
                    continue
                several = any(name in names and len(names) == 3 for key, names in columns.items() if key in KEYS)
                step = client + (7 * visit + at if several else 0)
                blank = client % 10 == 3
                row[name] = None if blank else texts[step % len(texts)]
            for number, score in enumerate(CODEBOOK["scores"]):
                value = score["lo"] + (client + number) % (2 * (score["hi"] - score["lo"]) + 1) / 2
                row[columns[score["id"]][0]] = None if client % 5 == 4 else int(value) if value == int(value) else value
            # One marked row is enough for all of a client's.
            row[columns["exclude_if"][0]] = YES[lang] if client in (8, 40) and visit == 0 else None
            row[columns["hide_area_if"][0]] = YES[lang] if client in (16, 44) and visit == 1 else None
            rows.append(row)
    check(len(rows) <= ROWS, "rows that are offered")
    for at, row in enumerate(rows, 2):
        for name, value in row.items():
            if value is not None:
                cell = sheet.cell(at, headers.index(name) + 1)
                cell.value = value
                # As somebody who types: a cell takes the format of its column.
                cell.number_format = sheet.column_dimensions[cell.column_letter].number_format
    return rows


def as_excel(path):
    """The first sheet as CSV, as Excel writes it in a Finnish locale."""

    def shown(cell):
        value = cell.value
        if isinstance(value, (datetime.date, datetime.datetime)):
            check(cell.number_format == "d.m.yyyy", f"a date that is shown as {cell.number_format}")
            return f"{value.day}.{value.month}.{value.year}"
        return "" if value is None else str(value).replace(".", ",") if isinstance(value, float) else str(value)

    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for row in openpyxl.load_workbook(path).worksheets[0].iter_rows():
        writer.writerow([shown(cell) for cell in row])
    return text.getvalue()


# --- counting again -----------------------------------------------------------------


def expected(rows, columns, lang):
    """The report's figures: before the table, and in it by quarter."""
    key = columns["client"][0]
    excluded = {row[key] for row in rows if row[columns["exclude_if"][0]]}
    hidden = {row[key] for row in rows if row[columns["hide_area_if"][0]]}
    quarters, outside = {}, 0
    for row in rows:
        date = row[columns["date"][0]]
        quarters.setdefault(f"{date.year}Q{(date.month + 2) // 3}", {}).setdefault(row[key], []).append(row)
    table = {}
    for quarter, clients in quarters.items():
        counted = {c: of for c, of in clients.items() if c not in excluded}
        adult = {c: of for c, of in counted.items() if 2026 - of[-1][columns["birth_year"][0]] >= 18}
        outside += len(counted) - len(adult)
        unknown = {"age_group": 0}
        for name, dimension in KEYS.items():
            if dimension not in DIMENSIONS:
                continue

            def is_known(row, client, name=name, dimension=dimension):
                texts = [row[column] for column in columns[name] if row[column]]
                placed = dimension != "area" or client not in hidden
                return placed and any(code_of(dimension, text, lang) != "unknown" for text in texts)

            unknown[dimension] = sum(not any(is_known(row, c) for row in of) for c, of in adult.items())
        percent = {d: (200 * part + len(adult)) // (2 * len(adult)) for d, part in unknown.items()}
        table[quarter] = (len(adult), percent)
    everybody = {row[key] for row in rows}
    return [len(rows), len(everybody), len(excluded), len(hidden), outside], table


def reported(text):
    lines = text.splitlines()
    before = [int(line.split()[-1]) for line in lines[:5]]
    names = re.findall(r"(\w+) unknown", next(line for line in lines if "age_group unknown" in line))
    table = {}
    for line in lines:
        found = re.match(r"\s*(\d{4}Q\d)\s+(\d+)\s+\S+\s+(.*)", line)
        if found:
            shares = [int(share) for share in re.findall(r"(\d+) %", found[3])]
            table[found[1]] = (int(found[2]), dict(zip(names, shares)))
    return before, table


def compare(folder, rows, columns, lang, how):
    said = reported(run("koonti-node", "import", "--config", "node.toml", "--dry-run", folder=folder))
    wanted = expected(rows, columns, lang)
    check(said == wanted, f"{lang}, {how}: the report says {said}, and there are {wanted}")


def round_trip(folder, lang, soffice):
    arguments = ["--xlsx", "kirjaus.xlsx", "--mapping", "register.toml", "--lang", lang, "--rows", str(ROWS)]
    run("koonti", "codebook", "template", *arguments, folder=folder)
    (folder / "node.toml").write_bytes((ROOT / "config/node.toml").read_bytes())
    mapping = (folder / "register.toml").read_text(encoding="utf-8")
    book = openpyxl.load_workbook(folder / "kirjaus.xlsx")
    sheet, headers, offered, columns = look(book, mapping, lang)
    rows = fill(sheet, headers, offered, columns, lang)
    book.save(folder / "filled.xlsx")
    text, written = as_excel(folder / "filled.xlsx"), folder / "kirjaus.csv"
    written.write_bytes(text.encode("utf-8-sig"))
    compare(folder, rows, columns, lang, "CSV UTF-8")
    if soffice:
        # ; between fields, UTF-8, Finnish, cells as they are shown.
        kind = "csv:Text - txt - csv (StarCalc):59,34,76,1,,1035,false,true,true,false,false,1"
        command = [soffice, "--headless", "--convert-to", kind, "--outdir", folder / "office", folder / "filled.xlsx"]
        finnish = os.environ | {"LC_ALL": "fi_FI.UTF-8", "LANG": "fi_FI.UTF-8"}
        subprocess.run(command, check=True, capture_output=True, timeout=300, env=finnish)
        made = next((folder / "office").glob("filled*.csv"))
        written.write_bytes(made.read_bytes())
        compare(folder, rows, columns, lang, "CSV of LibreOffice")
    written.write_bytes(text.encode("cp1252"))
    (folder / "register.toml").write_text(mapping.replace('"utf-8"', '"windows-1252"'), encoding="utf-8")
    compare(folder, rows, columns, lang, "plain CSV")
    return len(rows), len(headers)


def main():
    soffice = sys.argv[2] if sys.argv[1:2] == ["--soffice"] else None
    for lang in ("fi", "sv", "en"):
        with tempfile.TemporaryDirectory() as folder:
            rows, columns = round_trip(pathlib.Path(folder), lang, soffice)
        print(f"{lang}: {rows} rows of {columns} columns filled in, saved, imported; the report has their counts")


if __name__ == "__main__":
    main()
