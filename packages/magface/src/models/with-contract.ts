/** A model's file with another record of what it promises. */
import { withMetadata } from '../onnx/file.ts';
import { contractMetadata, type ModelContract, parseContract } from './contract.ts';

/**
 * @param bytes - of an ONNX file
 * @param contract - what the file shall promise; what it promised besides stays
 * @param name - the model as people call it, for errors. @default 'the model'
 * @returns the file with the record in its metadata; graph and weights are the same
 * @throws {ModelError} `model_wrong_contract` naming each field that is wrong, `model_not_onnx`
 */
export const withContract = (bytes: Uint8Array, contract: ModelContract, name = 'the model'): Uint8Array =>
  withMetadata(bytes, contractMetadata(parseContract(contract, name)), name);
