const Koa = require('koa')
const session = require('koa-session')
const { memoryStore } = require('koa-session/memory')
const { told } = require('./told.cjs')

told({ Koa: Koa.default ?? Koa, session, memoryStore }).then(console.log)
