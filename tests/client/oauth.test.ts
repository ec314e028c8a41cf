// OAuth libraries get a token, with the client's credentials in HTTP Basic and in the body. Some of
// them percent-encode the credentials in HTTP Basic, as RFC 6749 requires, and some do not.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, test } from 'node:test';
import { promisify } from 'node:util';

import * as openid from 'openid-client';
import { ClientCredentials } from 'simple-oauth2';

import { book, stopBooks } from '../browser/books.mjs';

after(stopBooks);

async function credentials() {
  const shop = await book('demo');
  const [id, secret] = atob(shop.api.basic).split(':');
  const path = `/v1/accounts/${shop.account}/auth/token`;
  return { id, secret, url: shop.url, path, orders: shop.api.base + '/shopping/orders' };
}

async function assertWorks(orders: string, token: unknown) {
  const headers = { Authorization: `Bearer ${token}` };
  assert.equal((await fetch(orders, { headers })).status, 200);
}

for (const [name, authentication] of [
  ['Basic', openid.ClientSecretBasic],
  ['post', openid.ClientSecretPost],
] as const) {
  test(`openid-client gets a token by ${name}`, async () => {
    const { id, secret, url, path, orders } = await credentials();
    const server = { issuer: url, token_endpoint: url + path };
    const config = new openid.Configuration(server, id, undefined, authentication(secret));
    openid.allowInsecureRequests(config);
    const token = await openid.clientCredentialsGrant(config);
    await assertWorks(orders, token.access_token);
  });
}

for (const authorizationMethod of ['header', 'body'] as const) {
  for (const bodyFormat of ['form', 'json'] as const) {
    test(`simple-oauth2 gets a token by ${authorizationMethod} with ${bodyFormat}`, async () => {
      const { id, secret, url, path, orders } = await credentials();
      const auth = { tokenHost: url, tokenPath: path };
      const client = { id, secret };
      const options = { authorizationMethod, bodyFormat };
      const library = new ClientCredentials({ client, auth, options });
      const { token } = await library.getToken({});
      await assertWorks(orders, token.access_token);
    });
  }
}

test('authlib and requests-oauthlib get tokens by Basic and by post', async () => {
  const { id, secret, url, path, orders } = await credentials();
  const env = { ...process.env, OAUTHLIB_INSECURE_TRANSPORT: '1', AUTHLIB_INSECURE_TRANSPORT: '1' };
  const args = ['python', 'oauth_libraries.py', url + path, orders, id, secret];
  await promisify(execFile)('../venv', args, { env });
});
