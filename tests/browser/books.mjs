// Tillbook servers, each with its own port and file, and their output at the start.
//
// demo:  `tillbook demo`, with its shop, one user per role and an API client. empty: a book with an
// account and an owner, and no order. several: a book with two accounts and an owner of both.
// fresh: a book without a user.

import { spawn, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Api } from './api.mjs';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const program = join(target, 'debug', 'tillbook');

const PASSWORD = 'a password of the tests';
const ROLES = ['owner', 'manager', 'packer', 'viewer'];

/// The server also reads options from the environment; those of the developer's shell are removed.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('TILLBOOK_')),
);

const running = new Set();
process.on('exit', () => running.forEach((book) => book.child?.kill('SIGKILL')));

/// A book on disk; `url` is set once it is served.
export class Book {
  account = 'T00000001';
  users = {};
  url = '';
  said = '';

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), 'tillbook-'));
    this.db = join(this.folder, 'book.db');
    this.cookies = new Map();
    this.stories = new Map();
    running.add(this);
  }

  /// Runs a subcommand that ends, and reads the JSON that it prints.
  run(words, input = '') {
    const args = [...words, '--db', this.db, '--json'];
    const options = { input, env: environment, stdio: ['pipe', 'pipe', 'inherit'] };
    return JSON.parse(execFileSync(program, args, options).toString());
  }

  makeAccount(account, name) {
    return this.run(['account', 'create', account, `--name=${name}`]);
  }

  makeUser(email, role, accounts = [this.account]) {
    const of = accounts.flatMap((account) => ['--account', account]);
    const words = ['user', 'create', `--email=${email}`, '--role', role, ...of, '--password-stdin'];
    const made = this.run(words, `${PASSWORD}\n`);
    return { email: made.email, password: PASSWORD };
  }

  /// An API client of the account; a running server knows it within a second.
  makeClient(account, name) {
    const words = ['client', 'create', '--account', account, `--name=${name}`];
    const made = this.run([...words, '--grant', 'admin:shopping']);
    return new Api(this.url, account, made.client_id, made.client_secret);
  }

  /// Serves the book until it is stopped; resolves when the server has printed `last`.
  async serve(subcommand, last) {
    const args = [subcommand, '--db', this.db, '--listen', '127.0.0.1:0', '--log', 'warn'];
    const options = { cwd: this.folder, env: environment, stdio: ['ignore', 'pipe', 'pipe'] };
    this.child = spawn(program, args, options);
    let complaints = '';
    this.child.stderr.on('data', (text) => (complaints += text));
    this.ended = new Promise((resolve) => this.child.on('exit', resolve));
    await new Promise((resolve, reject) => {
      this.child.on('error', reject);
      this.ended.then((code) => reject(new Error(`tillbook ended with ${code}: ${complaints}`)));
      this.child.stdout.on('data', (text) => {
        this.said += text;
        if (last.test(this.said)) resolve();
      });
    });
    this.url = this.said.match(/http:\/\/127\.0\.0\.1:\d+/)[0];
  }

  async stop() {
    this.child?.kill('SIGTERM');
    await this.ended;
    rmSync(this.folder, { recursive: true, force: true });
    running.delete(this);
  }

  /// The session cookie of a user, fetched once through the sign-in form.
  async cookie(role) {
    if (!this.cookies.has(role)) this.cookies.set(role, signIn(this, this.users[role]));
    return this.cookies.get(role);
  }
}

async function signIn(book, user) {
  const body = new URLSearchParams(user);
  const sent = { method: 'POST', body, redirect: 'manual' };
  const answer = await fetch(`${book.url}/admin/sign-in`, sent);
  if (answer.status !== 303) throw new Error(`${user.email} was not signed in: ${answer.status}`);
  const [name, value] = answer.headers.get('set-cookie').split(';')[0].split(/=(.*)/s);
  return { name, value, url: book.url };
}

const makers = {
  async demo() {
    const book = new Book();
    await book.serve('demo', /Stop it with/);
    const found = (label) => book.said.match(new RegExp(`^${label} +(\\S+)$`, 'm'))[1];
    book.account = found('account');
    book.signInLink = book.said.match(/^http\S+\/admin\/link\?ticket=\S+$/m)[0];
    book.api = new Api(book.url, book.account, found('client_id'), found('client_secret'));
    for (const role of ROLES) {
      const email = `${role}@demo.example`;
      book.users[role] = { email, password: found(email) };
    }
    return book;
  },

  async empty() {
    const book = new Book();
    book.makeAccount(book.account, 'An empty shop');
    book.users.owner = book.makeUser('owner@empty.example', 'owner');
    await book.serve('serve', /Back office: \S+\n/);
    return book;
  },

  async several() {
    const book = new Book();
    book.makeAccount(book.account, 'The shop in the street');
    book.makeAccount('T00000002', 'The shop by the sea');
    const accounts = [book.account, 'T00000002'];
    book.users.owner = book.makeUser('owner@several.example', 'owner', accounts);
    await book.serve('serve', /Back office: \S+\n/);
    return book;
  },

  async fresh() {
    const book = new Book();
    await book.serve('serve', /\/admin\/setup\?ticket=\S+\n/);
    book.setupLink = book.said.match(/http\S+\/admin\/setup\?ticket=\S+/)[0];
    return book;
  },
};

const shared = new Map();

/// The book of this kind that the tests of a file share.
export function book(kind) {
  if (!shared.has(kind)) shared.set(kind, makers[kind]());
  return shared.get(kind);
}

/// A book for one test only.
export function ownBook(kind) {
  return makers[kind]();
}

export async function stopBooks() {
  await Promise.all([...running].map((book) => book.stop()));
  shared.clear();
}
