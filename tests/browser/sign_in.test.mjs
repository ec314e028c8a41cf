// Signing in to and out of the back office.

import assert from 'node:assert/strict';

import { book, ownBook } from './books.mjs';
import {
  expectWords,
  press,
  signIn,
  trialWithAndWithoutScript,
  trials,
  visit,
} from './harness.mjs';
import { story } from './stories.mjs';

trials('sign-in', () => {
  trialWithAndWithoutScript('a password signs in and a button signs out', async (open) => {
    const page = await open();
    const { account, users } = page.book;
    await signIn(page, users.manager);
    assert.equal(new URL(page.url()).pathname, `/admin/${account}/orders`);
    await expectWords(page, `${users.manager.email}, manager`);
    await press(page, 'Sign out');
    await visit(page, `/admin/${account}/orders`);
    assert.equal(new URL(page.url()).pathname, '/admin/sign-in');
  });

  trialWithAndWithoutScript('a wrong password is reported and the e-mail is kept', async (open) => {
    const page = await open();
    const { email, password } = page.book.users.viewer;
    await signIn(page, { email, password: 'not the password' });
    await expectWords(page, 'No user has this e-mail and password.');
    const box = page.getByLabel('Password');
    assert.equal(await page.getByLabel('E-mail').inputValue(), email);
    assert.equal(await box.inputValue(), '');
    const told = page.locator(`#${await box.getAttribute('aria-describedby')}`);
    assert.equal(await told.getAttribute('role'), 'alert');
    assert.ok(await box.evaluate((input) => input === document.activeElement));
    await box.fill(password);
    await press(page, 'Sign in');
    await expectWords(page, `${email}, viewer`);
  });

  trialWithAndWithoutScript('signing in leads to the page that was asked for', async (open) => {
    const page = await open();
    const order = `/admin/${page.book.account}/orders/${await story(page.book, 'reserved')}`;
    await visit(page, order);
    assert.equal(new URL(page.url()).pathname, '/admin/sign-in');
    const { email, password } = page.book.users.packer;
    await page.getByLabel('E-mail').fill(email);
    await page.getByLabel('Password').fill(password);
    await press(page, 'Sign in');
    assert.equal(new URL(page.url()).pathname, order);
  });

  trialWithAndWithoutScript('a link signs in once', async (open) => {
    const from = await ownBook('demo');
    const page = await open({ from });
    await visit(page, from.signInLink);
    await press(page, 'Sign in');
    await expectWords(page, `${from.users.owner.email}, owner`);
    const other = await open({ from });
    await visit(other, from.signInLink);
    await press(other, 'Sign in');
    assert.equal(other.lastStatus, 400);
    await expectWords(other, 'That did not work');
  });

  trialWithAndWithoutScript('the link of a new book makes its first owner', async (open) => {
    const from = await ownBook('fresh');
    const page = await open({ from });
    const email = 'kari@example.no';
    await visit(page, from.setupLink);
    await page.getByLabel('Name of your shop').fill('Karis stoler');
    await page.getByLabel('Account').fill('P00000042');
    await page.getByLabel('Your e-mail').fill(email);
    await page.getByLabel('A password').fill('correct horse');
    await press(page, 'Become the owner');
    await expectWords(page, 'No orders yet.', 'P00000042', `${email}, owner`);
    await press(page, 'Sign out');
    await signIn(page, { email, password: 'correct horse' });
    await expectWords(page, `${email}, owner`);
    const other = await open({ from });
    await visit(other, from.setupLink);
    await other.getByLabel('Your e-mail').fill('second@example.no');
    await other.getByLabel('A password').fill('battery staple');
    await press(other, 'Become the owner');
    assert.equal(other.lastStatus, 400);
  });

  trialWithAndWithoutScript('a refused set-up keeps the typed values', async (open) => {
    const page = await open({ kind: 'fresh' });
    await visit(page, (await book('fresh')).setupLink);
    await page.getByLabel('Name of your shop').fill(' ');
    await page.getByLabel('Your e-mail').fill('kari@example.no');
    await page.getByLabel('A password').fill('correct horse');
    await press(page, 'Become the owner');
    await expectWords(page, 'Enter your shop\'s name.');
    assert.equal(await page.getByLabel('Your e-mail').inputValue(), 'kari@example.no');
  });
});
