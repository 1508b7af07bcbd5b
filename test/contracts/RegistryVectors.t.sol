// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeviceRegistry} from "../../contracts/IDeviceRegistry.sol";
import {RegistryProbe, RewardsProbe} from "./RegistryProbe.sol";
import {VectorTest} from "./VectorTest.sol";

contract RegistryVectorsTest is VectorTest {
    RegistryProbe private probe;

    function setUp() public override {
        super.setUp();
        vm.prank(DEPLOYER);
        probe = new RegistryProbe();
        vm.assertEq(address(probe), vm.parseJsonAddress(vectors, ".contract"));
    }

    function test_domain_attestations_and_bindings() public view {
        vm.assertEq(probe.DOMAIN_SEPARATOR(), vm.parseJsonBytes32(vectors, ".domains.registry.separator"));
        string memory path = ".vendorAttestations[0]";
        checkRegistry(
            path,
            probe.attestationDigest(
                uint32(number(path, ".vendorId")),
                vm.parseJsonAddress(vectors, key(path, ".device")),
                vm.parseJsonBytes32(vectors, key(path, ".model")),
                uint40(number(path, ".notAfter"))
            )
        );
        uint256 count = 0;
        for (; has(".deviceBindings", count); count++) {
            path = item(".deviceBindings", count);
            checkRegistry(
                path,
                probe.bindingDigest(
                    vm.parseJsonAddress(vectors, key(path, ".device")),
                    vm.parseJsonAddress(vectors, key(path, ".operator")),
                    number(path, ".nonce")
                )
            );
        }
        vm.assertEq(count, 2);
    }

    function test_traffic_proofs() public view {
        uint256 count = 0;
        for (; has(".trafficProofs", count); count++) {
            string memory path = item(".trafficProofs", count);
            IDeviceRegistry.TrafficProof memory proof;
            proof.device = vm.parseJsonAddress(vectors, key(path, ".device"));
            proof.epoch = uint32(number(path, ".epoch"));
            proof.seq = uint32(number(path, ".seq"));
            proof.startS = uint40(number(path, ".startS"));
            proof.endS = uint40(number(path, ".endS"));
            proof.bytesUp = uint64(number(path, ".bytesUp"));
            proof.bytesDown = uint64(number(path, ".bytesDown"));
            proof.paid = uint64(number(path, ".paid"));
            proof.sessionsRoot = vm.parseJsonBytes32(vectors, key(path, ".sessionsRoot"));
            proof.prev = vm.parseJsonBytes32(vectors, key(path, ".prev"));
            proof.clockState = uint8(number(path, ".clockState"));
            checkRegistry(path, probe.proofDigest(proof));
        }
        vm.assertEq(count, 2);
    }

    function test_budgets_rewards_and_growth_leaves() public {
        uint256 first = number(".rewards", ".firstEpoch");
        RewardsProbe rewards = new RewardsProbe(first, 1_000);
        RewardsProbe withoutGrowth = new RewardsProbe(first, 0);
        uint256 count = 0;
        for (; has(".rewards.budgets", count); count++) {
            string memory path = item(".rewards.budgets", count);
            uint256 epoch = number(path, ".epoch");
            vm.assertEq(rewards.epochBudget(epoch), number(path, ".budget"));
            vm.assertEq(rewards.growthAllowance(epoch), number(path, ".growthAllowance"));
        }
        vm.assertEq(count, 5);
        for (count = 0; has(".rewards.usage", count); count++) {
            string memory path = item(".rewards.usage", count);
            uint256 reward = withoutGrowth.usageReward(number(path, ".claimed"), number(path, ".claimedByAll"), first);
            vm.assertEq(reward, number(path, ".reward"));
        }
        vm.assertEq(count, 5);
        address device_ = vm.parseJsonAddress(vectors, ".rewards.growthLeaves[0].device");
        bytes32 leaf = keccak256(abi.encode(device_, number(".rewards.growthLeaves[0]", ".cumulative")));
        vm.assertEq(keccak256(bytes.concat(leaf)), vm.parseJsonBytes32(vectors, ".rewards.growthLeaves[0].leaf"));
    }

    function number(string memory path, string memory field) private view returns (uint256) {
        return vm.parseJsonUint(vectors, key(path, field));
    }

    function checkRegistry(string memory path, bytes32 digest) private view {
        vm.assertEq(digest, vm.parseJsonBytes32(vectors, key(path, ".digest")));
        bytes memory compact = vm.parseJsonBytes(vectors, key(path, ".signature"));
        string memory name = vm.parseJsonString(vectors, key(path, ".signedBy"));
        address expected = vm.parseJsonAddress(vectors, string.concat(".keys.", name, ".address"));
        vm.assertEq(probe.recover(digest, abi.decode(compact, (IDeviceRegistry.Signature))), expected);
    }
}
