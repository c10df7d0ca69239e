// CSV as RFC 4180 has it, read piece by piece and written so that no spreadsheet takes a text for a formula.

// Rows of fields from pieces of text: parser.write(piece), parser.end(); `on` gets each row. Fields may span pieces and lines.
export function csvParser(delimiter, on) {
  let row = [];
  let field = '';
  let quoted = false; // inside quotes
  let closed = false; // just after the closing quote
  let begun = false; // the field has begun, be it empty

  function endField() {
    row.push(field);
    field = '';
    begun = closed = false;
  }
  function endRow() {
    endField();
    if (row.length > 1 || row[0] !== '') on(row);
    row = [];
  }
  // Takes from i what lies in quotes; returns where it ends.
  function inQuotes(text, i) {
    const end = text.indexOf('"', i);
    field += text.slice(i, end < 0 ? text.length : end);
    if (end < 0) return text.length;
    quoted = false;
    closed = true;
    return end + 1;
  }
  function plain(text, i) {
    const c = text[i];
    if (c === '"' && closed) {
      field += '"'; // a doubled one
      quoted = true;
      closed = false;
    } else if (c === '"' && !begun) {
      quoted = begun = true;
    } else if (c === delimiter) {
      endField();
    } else if (c === '\n') {
      if (field.endsWith('\r') && !closed) field = field.slice(0, -1);
      endRow();
    } else if (!(c === '\r' && closed)) {
      field += c;
      begun = true;
    }
    return i + 1;
  }
  return {
    write(text) {
      for (let i = 0; i < text.length;) i = quoted ? inQuotes(text, i) : plain(text, i);
    },
    end() {
      if (begun || row.length) endRow();
    },
  };
}

// The delimiter of a first line: the one that occurs most often.
export function delimiterOf(line) {
  const times = (c) => line.split(c).length;
  return [',', ';', '\t'].sort((a, b) => times(b) - times(a))[0];
}

// Text that begins like a formula gets an apostrophe before it. Numbers of ours stay as they are.
function cell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = String(value);
  const safe = /^[=+\-@\t\r\n]/.test(text) || /^\s+[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",;\n\r\t]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

export const csvLine = (values) => `${values.map(cell).join(',')}\r\n`;
