import Koa from 'koa'
import session from 'koa-session'
import { memoryStore } from 'koa-session/memory'
import { told } from './told.cjs'

told({ Koa, session, memoryStore }).then(console.log)
