/*
 * Installs what package.json beside it names, a package of its own: whoever works on koa-session should not have to install
 * six libraries and a runtime for it. Where they can't be had the table at the end of the tests says so.
 */
import { install } from '../../bench/install.mjs'

install(new URL('./', import.meta.url))
