// Colours and patterns for what is drawn: those of the style sheet, in light and dark.
const NAMES = ['paper', 'card', 'ink', 'dim', 'line', 'accent', 'positive', 'neutral', 'negative'];
const TILE = 8;

export function colours() {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(NAMES.map((n) => [n, style.getPropertyValue(`--${n}`).trim()]));
}

// The lines of a pattern's tile, as [x1, y1, x2, y2]: rising for positive, dots for neutral, falling for negative.
export const STROKES = {
  positive: [[0, 8, 8, 0], [-2, 2, 2, -2], [6, 10, 10, 6]],
  neutral: [[3.5, 4, 4.5, 4]],
  negative: [[0, 0, 8, 8], [-2, 6, 2, 10], [6, -2, 10, 2]],
};

// A pattern for a canvas: the label's colour, hatched in the card's.
export function pattern(context, label, c) {
  const ratio = devicePixelRatio || 1;
  const tile = document.createElement('canvas');
  tile.width = tile.height = TILE * ratio;
  const t = tile.getContext('2d');
  t.scale(ratio, ratio);
  t.fillStyle = c[label];
  t.fillRect(0, 0, TILE, TILE);
  t.strokeStyle = c.card;
  t.globalAlpha = 0.55;
  t.lineWidth = label === 'neutral' ? 1.5 : 1.25;
  for (const [x1, y1, x2, y2] of STROKES[label]) {
    t.beginPath();
    t.moveTo(x1, y1);
    t.lineTo(x2, y2);
    t.stroke();
  }
  return context.createPattern(tile, 'repeat');
}

export const onTheme = (f) => matchMedia('(prefers-color-scheme: dark)').addEventListener('change', f);
