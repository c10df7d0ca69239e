// Documents for a schema, from a seed: sound ones, which can be executed, and ones in which something is off, so that every rule is broken.
// What graphql-js makes of each is written beside it, for the comparison with lib/graphql (tests/live/graphql_documents.py).
//
//     node graphql_documents.mjs SEED COUNT DIR      reads graphql_documents.graphql beside this file; writes DIR/data.json, questions and answers (NDJSON)
import fs from 'node:fs';
import { createRequire } from 'node:module';
const G = createRequire(`${process.env.SENTI_NPM}/`)('graphql');

const [seed, count, dir] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4]];
const sdl = fs.readFileSync(new URL('graphql_documents.graphql', import.meta.url), 'utf8');
const schema = G.buildSchema(sdl);
const types = Object.fromEntries(Object.entries(schema.getTypeMap()).filter(([name]) => !name.startsWith('__')));
// graphql-js' own, which is none of the specification's, is left out.
const RULES = G.specifiedRules.filter((r) => r.name !== 'MaxIntrospectionDepthRule');
const composites = Object.values(types).filter((t) => G.isCompositeType(t));

// ---- chance ----
let state = seed;
function below(n) { // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) % n;
}
const pick = (list) => list[below(list.length)];
const chance = (percent) => below(100) < percent;

// ---- documents ----
const SCALARS = {
  Int: () => String(below(100)), Float: () => pick(['1.5', '2', '-1e3']), String: () => pick(['"x"', '"""b"""', '"\\u00e9"']),
  Boolean: () => pick(['true', 'false']), ID: () => pick(['"i"', '7']), Any: () => pick(['1', '"s"', '{a: 1}', '[1, {b: 2}]', 'A']),
  E: () => pick(['A', 'B', 'C']),
};
const ODD_VALUES = ['1', '"s"', 'null', 'true', 'A', 'Z', '[1, 2]', '{a: 1}', '{a: 1, a: 2}', '1.5', '$nope', '99999999999', '[[1]]',
  '{b: {a: null}}', '[$v0]'];

class Writer {
  // `wrong`: how often, in a hundred, something is off; 0 with `sound`: never.
  constructor(sound, wrong) {
    Object.assign(this, { sound, wrong, serial: 0 });
  }

  // Something that sound documents do not have.
  odd(percent) { return !this.sound && chance(percent); }

  variable(type) {
    const spelled = type.toString();
    const name = this.sound ? `w${this.serial++}` : `v${below(4)}`;
    this.variables.push([name, this.odd(20) ? pick(['Int', 'String!', '[Int!]', 'In', 'User', 'Nope', 'E!']) : spelled]);
    return `$${name}`;
  }

  value(type, depth = 0, variableFits = true) {
    if (this.odd(this.wrong)) return pick(ODD_VALUES);
    if (variableFits && chance(15)) return this.variable(type);
    if (G.isNonNullType(type)) return this.value(type.ofType, depth, false);
    if (chance(5)) return 'null';
    if (G.isListType(type)) {
      if (chance(20)) return this.value(type.ofType, depth, variableFits);
      return `[${Array.from({ length: below(3) }, () => this.value(type.ofType, depth + 1)).join(', ')}]`;
    }
    if (G.isInputObjectType(type)) return this.object(type, depth);
    return SCALARS[type.name]();
  }

  object(type, depth) {
    const fields = Object.values(type.getFields()).filter((f) => G.isRequiredInputField(f) || (depth < 3 && chance(30)));
    return `{${fields.map((f) => `${f.name}: ${this.value(f.type, depth + 1)}`).join(', ')}${this.odd(3) ? ' zz: 1' : ''}}`;
  }

  directives() {
    let out = '';
    if (chance(8)) out += ` @include(if: ${this.value(G.GraphQLBoolean, 0, false)})`.replace('null', 'true');
    if (chance(6)) out += ` @skip(if: ${pick(['true', 'false'])})`;
    if (this.sound) return out;
    if (chance(3)) out += ` @once${chance(30) ? '(a: 1)' : ''}`;
    if (chance(2)) out += ' @once';
    if (chance(4)) out += ` @many(r: 1)${chance(50) ? ' @many(r: 2)' : ''}`;
    if (chance(1)) out += pick([' @nope', ' @many', ' @once(b: 1)', ' @deprecated', ' @once(a: 1, a: 2)']);
    return out;
  }

  arguments(field) {
    const list = field.args.filter((a) => (G.isRequiredArgument(a) ? !this.odd(this.wrong) : chance(40)))
      .map((a) => `${a.name}: ${this.value(a.type)}`);
    if (this.odd(2)) list.push('bad: 1');
    if (this.odd(2) && list.length) list.push(list[0]);
    return list.length ? `(${list.join(', ')})` : '';
  }

  inlineFragment(type, depth) {
    const fitting = composites.filter((t) => G.doTypesOverlap(schema, t, type));
    let on = pick(this.sound || chance(80) ? fitting : Object.values(types));
    const selections = this.selections(G.isCompositeType(on) ? on : type, depth + 1);
    return `...${chance(80) || this.sound ? ` on ${this.odd(2) ? 'Nope' : on.name}` : ''}${this.directives()} ${selections}`;
  }

  field(type, depth) {
    const fields = type.getFields ? Object.values(type.getFields()) : [];
    if (!fields.length) return this.sound ? '__typename' : pick(['nope', 'name', 'id { x }', 'age']);
    if (this.odd(2)) return pick(['nope', 'name', 'id { x }', 'age']);
    const leaves = fields.filter((f) => G.isLeafType(G.getNamedType(f.type)));
    const f = this.sound && depth > 3 && leaves.length ? pick(leaves) : pick(fields);
    const alias = this.sound ? `a${this.serial++}: ` : chance(30) ? `${pick(['x', 'y', 'z', 'name', 'id', 'age'])}: ` : '';
    const out = alias + f.name + this.arguments(f) + this.directives();
    if (!G.isCompositeType(G.getNamedType(f.type))) return out + (this.odd(1) ? ' { a }' : '');
    if (this.odd(2)) return out;
    return `${out} ${depth < (this.sound ? 4 : 6) ? this.selections(G.getNamedType(f.type), depth + 1) : '{ __typename }'}`;
  }

  selection(type, depth) {
    const dice = below(100);
    if (dice < 12 && depth < (this.sound ? 3 : 5)) return this.inlineFragment(type, depth);
    if (dice < (this.sound ? 14 : 24)) return `...${this.odd(3) ? 'Nope' : `F${this.sound ? 0 : below(5)}`}${this.directives()}`;
    if (dice < 28) return `${chance(30) ? 'x: ' : ''}__typename`;
    return this.field(type, depth);
  }

  selections(type, depth) {
    // The one fragment of sound documents is on User, and fits where a user may be.
    const list = Array.from({ length: 1 + below(this.sound ? 3 : 4) }, () => this.selection(type, depth))
      .filter((s) => !this.sound || !s.startsWith('...F0') || G.doTypesOverlap(schema, types.User, type));
    return `{ ${list.length ? list.join(' ') : '__typename'} }`;
  }

  operation(i, alone) {
    this.variables = [];
    const kind = this.sound || chance(75) ? 'query' : pick(['mutation', 'subscription']);
    const root = types[{ query: 'Query', mutation: 'Mutation', subscription: 'Subscription' }[kind]];
    return { kind, body: this.selections(root, 0), variables: this.variables, name: (alone && chance(40)) || this.odd(2) ? '' : ` O${this.odd(3) ? 0 : i}` };
  }

  fragment(i) {
    this.variables = [];
    const type = this.sound ? types.User : this.odd(3) ? pick(Object.values(types)) : pick(composites);
    const body = this.sound ? '{ id n: name }' : this.selections(G.isCompositeType(type) ? type : types.Query, 2);
    const name = this.odd(1) ? 'Nope' : type.name;
    return { text: `fragment F${i} on ${name}${this.sound ? '' : this.directives()} ${body}`, variables: this.variables };
  }

  definitions(list) {
    const seen = new Set();
    const out = [];
    for (const [name, type] of list) {
      if ((seen.has(name) && !this.odd(5)) || this.odd(4)) continue;
      seen.add(name);
      const fallback = this.odd(15) ? ` = ${pick(['1', 'null', '"s"', '[1]', '{a: 1}', 'A'])}` : '';
      out.push(`$${name}: ${type}${fallback}${this.odd(3) ? ' @once' : ''}`);
    }
    if (this.odd(5)) out.push('$unused: Int');
    return out.length ? `(${out.join(', ')})` : '';
  }

  document() {
    const n = this.sound || chance(80) ? 1 : 1 + below(3);
    const operations = Array.from({ length: n }, (_, i) => this.operation(i, n === 1));
    const parts = [];
    for (let i = 0; i < 5; i++) {
      const wanted = this.sound ? i === 0 && operations.some((o) => o.body.includes('...F0')) : chance(70);
      if (!wanted) continue;
      const f = this.fragment(i);
      parts.push(f.text);
      operations.forEach((o) => o.variables.push(...f.variables));
    }
    if (this.odd(2)) parts.push('fragment F0 on User { id }');
    if (this.odd(2))
      parts.push(pick(['type T { a: Int }', 'scalar S', 'extend type User { x: Int }', 'enum Q { A }', 'schema { query: Q }',
        'directive @d on FIELD', 'input I { a: Nope = {b: 1, b: 2} }', 'union U = User | Zip']));
    for (const o of operations) {
      const definitions = this.definitions(o.variables);
      const short = !o.name && !definitions && o.kind === 'query' && chance(70);
      parts.push(short ? o.body : `${o.kind}${o.name}${definitions}${this.odd(3) ? ' @once' : ''} ${o.body}`);
    }
    return parts.sort(() => below(3) - 1).join('\n');
  }
}

// ---- broken text ----
const TOKENS = ['{', '}', '(', ')', '[', ']', ':', '=', '!', '$', '@', '...', '|', '&', 'name', 'on', 'query', 'fragment', '"s"', '"""b"""',
  '"\\u12', '"\\u{110000}"', '"\\u{1F600}"', '"\\uD800"', '"\\q"', '1', '-1', '01', '1.', '1.5e', '1e+5', '1a', '.', '..', "'", '?', 'é', '😀',
  '\n', '\r\n', '\r', '#c\n', '"unterminated', '"""un', 'null', 'true', 'extend', 'type', 'enum', '$a', ' ', ',', '\ufeff', '\u0007', '%',
  '-', 'directive', 'repeatable', '"'];

function broken(text) {
  for (let n = 1 + below(3); n > 0; n--) {
    const at = below(text.length + 1);
    const cut = at + below(8);
    text = chance(25) ? text.slice(0, at) : text.slice(0, at) + (chance(70) ? pick(TOKENS) : '') + text.slice(chance(50) ? at : cut);
  }
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, 'x');
}

// ---- data ----
// An object of the type, as deep as `depth`: its fields by name, whatever their arguments. ERR... is what a resolver throws.
function data(type, depth) {
  if (G.isNonNullType(type)) return chance(2) ? null : data(type.ofType, depth);
  if (chance(6)) return null;
  if (chance(2)) return 'ERR bad luck';
  if (G.isListType(type)) return Array.from({ length: depth > 4 ? 0 : below(3) }, () => data(type.ofType, depth + 1));
  if (G.isAbstractType(type)) return data(pick(schema.getPossibleTypes(type)), depth);
  if (G.isObjectType(type)) {
    if (depth > 6) return null;
    const out = { __typename: type.name };
    for (const f of Object.values(type.getFields())) out[f.name] = data(f.type, depth + 1);
    return out;
  }
  return { Int: below(1000), Float: below(1000) / 8, String: 'text é', Boolean: chance(50), ID: `i${below(100)}`, Any: 'any', E: 'A' }[type.name];
}

function json(type) { // of a variable
  if (G.isNonNullType(type)) {
    const v = json(type.ofType);
    return v === null && chance(95) ? json(type) : v;
  }
  if (chance(8)) return null;
  if (chance(3)) return pick([1, 'x', true, [1], { a: 1 }, 1.5]);
  if (G.isListType(type)) return Array.from({ length: below(3) }, () => json(type.ofType));
  if (G.isInputObjectType(type))
    return Object.fromEntries(Object.values(type.getFields()).filter((f) => G.isRequiredInputField(f) || (f.type !== type && chance(40)))
      .map((f) => [f.name, json(f.type)]));
  return { Int: below(1000), Float: below(100) / 4, String: 'v', Boolean: true, ID: pick(['i', 7]), Any: pick([1, 'a', { b: [1] }]), E: pick(['A', 'B']) }[type.name];
}

function variables(document) {
  const out = {};
  const operation = document.definitions.find((d) => d.kind === 'OperationDefinition');
  for (const v of operation.variableDefinitions) {
    const type = G.typeFromAST(schema, v.type);
    if (chance(85)) out[v.variable.name.value] = json(type);
  }
  return out;
}

// ---- what graphql-js says ----
const place = (l) => `${l.line}:${l.column}`;

function resolve(source, _, __, info) {
  const v = source[info.fieldName];
  const thrown = (x) => (typeof x === 'string' && x.startsWith('ERR') ? new Error(x) : Array.isArray(x) ? x.map(thrown) : x);
  const out = thrown(v);
  if (out instanceof Error) throw out;
  return out;
}

function answer(document, root, given) {
  const result = G.executeSync({ schema, document, rootValue: root, variableValues: given, fieldResolver: resolve });
  const errors = (result.errors || []).map((e) => `${(e.path || []).join('.')} ${(e.locations || []).map(place).join(' ')}`).sort();
  return 'data' in result ? { data: result.data, errors } : { refused: [...new Set(errors)] };
}

function judge(text, root, given) {
  let document;
  try {
    document = G.parse(text);
  } catch (e) {
    return { syntax: place(e.locations[0]) };
  }
  const found = [];
  // All rules in one walk, each with a context of its own that notes whose error it is.
  const noting = RULES.map((rule) => (context) =>
    rule(Object.assign(Object.create(context), { reportError: (e) => found.push([rule.name.replace(/Rule$/, ''), e]) })));
  try {
    G.validate(schema, document, noting);
  } catch {
    return null; // a rule of subscriptions throws where a directive's argument is wrong, which another rule is for
  }
  if (found.some(([, e]) => !e.locations)) return null;
  const wrong = found.map(([name, e]) => `${name} ${e.locations.map(place).join(' ')}`);
  if (wrong.length > 100) return null; // more than are reported
  if (wrong.length) return { wrong: wrong.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) };
  const operations = document.definitions.filter((d) => d.kind === 'OperationDefinition');
  if (operations.length !== 1 || operations[0].operation !== 'query') return { valid: true };
  return answer(document, root, given(document));
}

function main() {
  const root = data(new G.GraphQLNonNull(types.Query), 0);
  for (const f of Object.keys(types.Query.getFields())) if (root[f] === null || root[f] === 'ERR bad luck') root[f] = data(types.Query.getFields()[f].type, 1);
  const questions = [];
  const answers = [];
  const seen = {};
  while (questions.length < count) {
    const sound = chance(50);
    let text = new Writer(sound, pick([0, 1, 4])).document();
    if (chance(20)) text = broken(text);
    let given = {};
    const verdict = judge(text, root, (document) => (given = variables(document)));
    if (!verdict) continue;
    questions.push(JSON.stringify({ query: text, variables: given }));
    answers.push(JSON.stringify(verdict));
    for (const kind of verdict.wrong ? new Set(verdict.wrong.map((w) => w.split(' ')[0])) : [Object.keys(verdict)[0]])
      seen[kind] = (seen[kind] || 0) + 1;
  }
  fs.writeFileSync(`${dir}/data.json`, JSON.stringify(root));
  fs.writeFileSync(`${dir}/questions`, `${questions.join('\n')}\n`);
  fs.writeFileSync(`${dir}/answers`, `${answers.join('\n')}\n`);
  const rules = RULES.map((r) => r.name.replace(/Rule$/, ''));
  console.log(JSON.stringify({ seen, missed: rules.filter((r) => !seen[r]) }));
}
main();
