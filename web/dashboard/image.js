// Pictures as files.
const SCALE = 2; // pixels of a PNG for each of the picture's

const text = (svg) => `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(svg)}\n`;

export const svgFile = (svg) => new Blob([text(svg)], { type: 'image/svg+xml' });

export async function png(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text(svg))}`;
  await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = svg.getAttribute('width') * SCALE;
  canvas.height = svg.getAttribute('height') * SCALE;
  canvas.getContext('2d').drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => { canvas.toBlob(done, 'image/png'); });
}
