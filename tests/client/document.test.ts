// Four validators accept the API's document without a warning. Each of them must also refuse a
// faulty document, so that a validator that reads nothing does not pass.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import SwaggerParser from '@apidevtools/swagger-parser';

const DOCUMENT = join('..', '..', 'data', 'openapi.yaml');
const folder = mkdtempSync(join(tmpdir(), 'tillbook-document-'));
after(() => rmSync(folder, { recursive: true }));

const faulty = join(folder, 'openapi.yaml');
const text = readFileSync(DOCUMENT, 'utf8');
writeFileSync(faulty, text.replace('      operationId: aid_orders_get\n', '      operationId: [1]\n'));

/// Runs a program on a document; null if it accepts the document, otherwise its output.
function complaint(program: string, ...args: string[]) {
  const env = { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' };
  const ran = spawnSync(program, args, { encoding: 'utf8', env });
  return ran.status === 0 ? null : `${ran.error ?? ''}${ran.stdout}${ran.stderr}`;
}

type Validator = (document: string) => string | null | Promise<string | null>;

const validators: Record<string, Validator> = {
  'openapi-spec-validator': (document) =>
    complaint('../venv', 'openapi-spec-validator', document),
  'swagger-parser': (document) =>
    SwaggerParser.validate(document).then(() => null, String),
  Redocly: (document) =>
    complaint('redocly', 'lint', '--config=redocly.yaml', '--max-problems=1000', document),
  Spectral: (document) =>
    complaint('spectral', 'lint', '--ruleset=spectral.yaml', '--fail-severity=hint', document),
};

for (const [name, validate] of Object.entries(validators)) {
  test(`${name} accepts the document and refuses a faulty one`, async () => {
    assert.equal(await validate(DOCUMENT), null);
    assert.notEqual(await validate(faulty), null);
  });
}
