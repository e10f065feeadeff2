/** Writes the contract into a model file. */
import { setMetadata, withMetadata } from '../graph/onnx/file.ts';
import type { ModelProto } from '../graph/onnx/onnx_pb.ts';
import { contractMetadata, type ModelContract, parseContract } from './contract.ts';

/**
 * Writes a contract into the metadata of a model file. The graph, the weights and other metadata stay
 * the same.
 *
 * @param bytes - an ONNX file
 * @param name - name of the model, for errors. @default 'the model'
 * @returns the new file
 * @throws {ModelError} `model_wrong_contract` with each wrong field, or `model_not_onnx`
 */
export const withContract = (bytes: Uint8Array, contract: ModelContract, name = 'the model'): Uint8Array =>
  withMetadata(bytes, contractMetadata(parseContract(contract, name)), name);

/** Gives a model another record, in place: fields of the old one that the new one lacks are gone. */
export function replaceRecord(model: ModelProto, contract: ModelContract): void {
  model.metadataProps = model.metadataProps.filter(({ key }) => !key.startsWith('magface.'));
  setMetadata(model, contractMetadata(contract));
}
