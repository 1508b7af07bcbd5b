// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceRegistry} from "./IDeviceRegistry.sol";

/// @title EIP-712 digests of DeviceRegistry, the same as protocol/vendor-attestation.ts, device-binding.ts, traffic-proof.ts
/// @dev Both sides are held to test/vectors/protocol-digests.json.
abstract contract RegistryDigests {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ATTESTATION_TYPEHASH =
        keccak256("VendorAttestation(uint32 vendorId,address device,bytes32 model,uint40 notAfter)");
    bytes32 private constant BINDING_TYPEHASH =
        keccak256("DeviceBinding(address device,address operator,uint256 nonce)");
    bytes32 private constant PROOF_TYPEHASH = keccak256(
        "TrafficProof(address device,uint32 epoch,uint32 seq,uint40 startS,uint40 endS,uint64 bytesUp,uint64 bytesDown,uint64 paid,bytes32 sessionsRoot,bytes32 prev,uint8 clockState)"
    );

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return keccak256(
            abi.encode(DOMAIN_TYPEHASH, keccak256("SSP DeviceRegistry"), keccak256("1"), block.chainid, address(this))
        );
    }

    function _attestationDigest(uint32 vendorId, address device, bytes32 model, uint40 notAfter)
        internal
        view
        returns (bytes32)
    {
        return _typedDigest(keccak256(abi.encode(ATTESTATION_TYPEHASH, vendorId, device, model, notAfter)));
    }

    function _bindingDigest(address device, address operator, uint256 nonce) internal view returns (bytes32) {
        return _typedDigest(keccak256(abi.encode(BINDING_TYPEHASH, device, operator, nonce)));
    }

    function _proofDigest(IDeviceRegistry.TrafficProof calldata proof) internal view returns (bytes32) {
        return _typedDigest(keccak256(abi.encode(PROOF_TYPEHASH, proof)));
    }

    /// @dev Zero if the signature recovers to nothing; no key has that address.
    function _signer(bytes32 digest, IDeviceRegistry.Signature calldata signature) internal pure returns (address) {
        uint256 vs = uint256(signature.vs);
        return ecrecover(digest, uint8(27 + (vs >> 255)), signature.r, bytes32(vs & (type(uint256).max >> 1)));
    }

    function _typedDigest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(bytes.concat(hex"1901", DOMAIN_SEPARATOR(), structHash));
    }
}
