import {expect, test} from 'vitest';
import {appendMessage} from '../../src/util/append-message.ts';

test('what is added to a message is in the first line of the stack too, and the frames stay', () => {
	const error = new Error('it failed');
	const frames = error.stack?.split('\n').slice(1);
	appendMessage(error, ': it was late');
	expect(error.message).toBe('it failed: it was late');
	expect(error.stack?.split('\n')).toEqual(['Error: it failed: it was late', ...(frames ?? [])]);
});

test('the stack of a cause with the same message is unchanged', () => {
	const error = new Error('it failed');
	error.stack = 'Error: another\n    at x (y.js:1:1)\nCaused by: Error: it failed';
	appendMessage(error, ': it was late');
	expect(error.stack).toBe('Error: another\n    at x (y.js:1:1)\nCaused by: Error: it failed');
	expect(error.message).toBe('it failed: it was late');
});

test.each([
	['no stack', {value: undefined, configurable: true}],
	['a stack that cannot be written', {value: 'Error: it failed', writable: false}],
])('the message of an error with %s is changed', (_, stack) => {
	const error = Object.defineProperty(new Error('it failed'), 'stack', stack);
	appendMessage(error, '!');
	expect(error.message).toBe('it failed!');
	expect(error.stack).toBe(stack.value);
});
