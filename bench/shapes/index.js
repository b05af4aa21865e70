import {shape as form} from './form.js';
import {shape as formBlob} from './form-blob.js';
import {shape as get} from './get.js';
import {shape as head} from './head.js';
import {shape as http2Get} from './http2-get.js';
import {shape as http2Post} from './http2-post.js';
import {shape as http2Proxy} from './http2-proxy.js';
import {shape as metadata} from './metadata.js';
import {shape as post} from './post.js';
import {shape as stream} from './stream.js';

/** @type {Readonly<Record<string, import('./types.js').Shape>>} By the name of its file. */
export const shapes = {
	get,
	metadata,
	head,
	post,
	stream,
	form,
	'form-blob': formBlob,
	'http2-get': http2Get,
	'http2-post': http2Post,
	'http2-proxy': http2Proxy,
};
