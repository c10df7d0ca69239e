// Builds the pages for the program: node web/build.mjs NODE_MODULES OUT, from the root of the tree.
//
// Of each page PAGES has the files that it consists of. A script or style is named after what is in it, so that browsers may keep it for ever; a
// page is asked for again each time. OUT gets every file compressed, assets.h, which lists them for lib/serve/routes/assets.c, and THIRD-PARTY.txt:
// the licences of the packages of which anything is in these files, whose text is taken from the packages themselves.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const [modules, out] = process.argv.slice(2).map((p) => path.resolve(p));
const { build } = createRequire(path.join(modules, '/'))('esbuild');

const LICENCES = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];
const MEDIA = {
  '.css': 'text/css; charset=utf-8', '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.txt': 'text/plain; charset=utf-8',
};
const STRICT = "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
// The editors of GraphiQL make styles while they run, so inline ones are allowed there, and nowhere else.
const PAGES = [
  { name: 'dashboard', at: '/', scripts: { dashboard: 'web/dashboard/main.js', early: 'web/dashboard/early.js' }, page: 'web/dashboard/page.html',
    policy: `${STRICT}; style-src 'self'` },
  { name: 'graphiql', at: '/graphiql', scripts: { graphiql: 'web/graphiql/main.jsx' }, page: 'web/graphiql/page.html',
    policy: `${STRICT}; style-src 'self' 'unsafe-inline'` },
];

const assets = [];

function add(name, at, content, policy) {
  const file = `${name}.gz`;
  fs.writeFileSync(path.join(out, file), gzipSync(content, { level: 9 }));
  assets.push({ name, at, file, size: Buffer.byteLength(content), media: MEDIA[path.extname(name)], tag: hash(content), policy });
}

function hash(content) {
  return createHash('sha256').update(content).digest('hex').slice(0, 16);
}

// The packages come with fonts, which a style on top replaces by the system's.
const withoutFonts = {
  name: 'without fonts',
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, ({ path: file }) => ({
      contents: fs.readFileSync(file, 'utf8').replace(/@font-face\s*\{[^}]*\}/g, ''), loader: 'css',
    }));
  },
};

async function bundle(page) {
  const { outputFiles, metafile } = await build({
    entryPoints: page.scripts, outdir: out, write: false, metafile: true, bundle: true, minify: true,
    format: 'iife', target: 'es2021', jsx: 'automatic', nodePaths: [modules], plugins: [withoutFonts], legalComments: 'none', logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const names = {};
  for (const { path: file, contents } of outputFiles) {
    const { name, ext } = path.parse(file);
    const at = `/assets/${name}-${hash(contents)}${ext}`;
    add(name + ext, at, contents);
    names[name + ext] = at.slice(1);
  }
  // By paths without a first slash: a proxy may serve the program below a folder of its own.
  const html = fs.readFileSync(page.page, 'utf8').replace(/@([\w.-]+)@/g, (_, name) => names[name]);
  add(`${page.name}.html`, page.at, html, page.policy);
  return Object.keys(metafile.inputs);
}

function packageOf(input) {
  const name = /.*node_modules\/((@[^/]+\/)?[^/]+)\//.exec(path.resolve(input))?.[0];
  return name && !name.startsWith('..') ? name : null;
}

// A few packages have no file of their licence: then what package.json says stands over its usual text, that of this project's.
function licenceText(folder, { author, license, name }) {
  const file = fs.readdirSync(folder).find((f) => /^(licen[cs]e|copying)/i.test(f));
  if (file) return fs.readFileSync(path.join(folder, file), 'utf8').trim();
  if (license !== 'MIT') throw new Error(`${name} has no file of its licence, ${license}`);
  const usual = fs.readFileSync('LICENSE', 'utf8');
  return `MIT License\n\nCopyright (c) ${author?.name || author || `the authors of ${name}`}\n\n${usual.slice(usual.indexOf('Permission')).trim()}`;
}

function thirdParty(folders) {
  const parts = ['The web pages of senti-serve contain parts of these packages, which npm provides under their names.'];
  for (const folder of folders) {
    const said = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
    if (!LICENCES.includes(said.license)) throw new Error(`${said.name}: may its licence, ${said.license}, be shipped? web/build.mjs lists those that may`);
    parts.push(`${said.name} ${said.version} (${said.license})\n\n${licenceText(folder, said)}`);
  }
  return `${parts.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function header() {
  const quoted = (s) => (s ? JSON.stringify(s) : 'NULL');
  return assets.map((a) => `ASSET(${a.name.replace(/\W/g, '_')}, "${a.file}", ${quoted(a.at)}, ${quoted(a.media)}, ${a.size}, ${quoted(a.tag)}, ${
    a.at.includes(a.tag)}, ${quoted(a.policy)})\n`).join('');
}

fs.mkdirSync(out, { recursive: true });
const inputs = (await Promise.all(PAGES.map(bundle))).flat();
const text = thirdParty([...new Set(inputs.map(packageOf).filter(Boolean))].sort());
fs.writeFileSync(path.join(out, 'THIRD-PARTY.txt'), text);
add('THIRD-PARTY.txt', '/assets/THIRD-PARTY.txt', text);
fs.writeFileSync(path.join(out, 'assets.h'), header());
