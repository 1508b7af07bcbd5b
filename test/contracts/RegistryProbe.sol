// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Budgets} from "../../contracts/Budgets.sol";
import {IDeviceRegistry} from "../../contracts/IDeviceRegistry.sol";
import {RegistryDigests} from "../../contracts/RegistryDigests.sol";

/// @title RegistryDigests with its insides turned out
contract RegistryProbe is RegistryDigests {
    function attestationDigest(uint32 vendorId, address device, bytes32 model, uint40 notAfter)
        external
        view
        returns (bytes32)
    {
        return _attestationDigest(vendorId, device, model, notAfter);
    }

    function bindingDigest(address device, address operator, uint256 nonce) external view returns (bytes32) {
        return _bindingDigest(device, operator, nonce);
    }

    function proofDigest(IDeviceRegistry.TrafficProof calldata proof) external view returns (bytes32) {
        return _proofDigest(proof);
    }

    function recover(bytes32 digest, IDeviceRegistry.Signature calldata signature) external pure returns (address) {
        return _signer(digest, signature);
    }
}

/// @title Budgets with its insides turned out
contract RewardsProbe is Budgets {
    constructor(uint256 firstEpoch_, uint256 growthBasisPoints_) Budgets(firstEpoch_, growthBasisPoints_) {}

    function usageReward(uint256 claimed, uint256 claimedByAll, uint256 epoch) external view returns (uint256) {
        return _usageReward(claimed, claimedByAll, epoch, 1_000);
    }
}
