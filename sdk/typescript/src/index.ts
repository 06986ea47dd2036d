/** Pipelines in containers, for modules and for programs of their own. */

export { BaseObject } from "./base.js"
export * from "./client.gen.js"
export {
  type CallbackFct,
  close,
  connect,
  type ConnectConfig,
  connection,
  type ConnectOpts,
} from "./connection.js"
export * from "./dependencies.gen.js"
export {
  DaggerSDKError,
  type EngineError,
  EngineSessionConnectParamsParseError,
  EngineSessionError,
  ExecError,
  FunctionNotFound,
  GraphQLRequestError,
  InitEngineSessionBinaryError,
  InvalidArgumentError,
  NotAwaitedRequestError,
  UnknownDaggerError,
} from "./errors.js"
export {
  agent,
  argument,
  type ArgumentOptions,
  check,
  enumType,
  field,
  type float,
  func,
  type FunctionOptions,
  generate,
  object,
  up,
} from "./module.js"
