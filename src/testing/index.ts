/** For authors of stores and of applications: the contract of a store as tests, a manual clock, an agent with cookies. */

export type { Store } from '../stores/store.ts'
export { type Agent, type AgentAnswer, type AgentRequest, createAgent } from './agent.ts'
export type { Capability } from './case.ts'
export { type ManualClock, manualClock } from './clock.ts'
export { type StoreContractOptions, type StoreTest, storeContract } from './contract.ts'
