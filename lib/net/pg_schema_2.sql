-- A score is a number that JSON can spell: neither NaN nor infinite, and from -1 to 1 as in a result.

UPDATE senti.message SET score = NULL WHERE NOT score BETWEEN -1 AND 1;
ALTER TABLE senti.message ADD CONSTRAINT message_score CHECK (score BETWEEN -1 AND 1);
