// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChannelDigests} from "../../contracts/ChannelDigests.sol";
import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {SspToken} from "../../contracts/tokens/SspToken.sol";
import {ChannelTest} from "./ChannelTest.sol";
import {DigestProbe} from "./DigestProbe.sol";

/// @dev The very file that TypeScript is held to: test/vectors/protocol-digests.json, made for anvil's chain and for
/// the first two contracts of its first account.
contract DigestsTest is ChannelTest {
    address private constant DEPLOYER = 0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266;

    string private vectors;

    function setUp() public override {
        vm.warp(START);
        vm.chainId(31_337);
        vectors = vm.readFile("test/vectors/protocol-digests.json");
    }

    function test_domain_and_channel_ids_of_the_deployed_contract() public {
        deployChannelsAsInVectors();
        bytes32 separator = ChannelDigests(address(channels)).DOMAIN_SEPARATOR();
        vm.assertEq(separator, vm.parseJsonBytes32(vectors, ".domains.channels.separator"));
        uint256 count = 0;
        for (; has(".channelConfigs", count); count++) {
            string memory path = item(".channelConfigs", count);
            vm.assertEq(channels.channelId(configAt(path)), vm.parseJsonBytes32(vectors, key(path, ".channelId")));
        }
        vm.assertEq(count, 3);
    }

    function test_voucher_digests_and_signers() public {
        DigestProbe probe = deployProbe();
        uint256 count = 0;
        for (; has(".vouchers", count); count++) {
            string memory path = item(".vouchers", count);
            bytes32 digest = probe.voucherDigest(
                vm.parseJsonBytes32(vectors, key(path, ".channelId")),
                uint64(vm.parseJsonUint(vectors, key(path, ".amount"))),
                uint64(vm.parseJsonUint(vectors, key(path, ".ackBytes")))
            );
            check(probe, path, digest);
        }
        vm.assertEq(count, 4);
    }

    function test_open_digests_and_signers() public {
        DigestProbe probe = deployProbe();
        uint256 count = 0;
        for (; has(".opens", count); count++) {
            string memory path = item(".opens", count);
            bytes32 digest = probe.openDigest(
                vm.parseJsonBytes32(vectors, key(path, ".channelId")),
                uint64(vm.parseJsonUint(vectors, key(path, ".amount"))),
                vm.parseJsonUint(vectors, key(path, ".deadline"))
            );
            check(probe, path, digest);
        }
        vm.assertEq(count, 2);
    }

    function test_close_digests_and_signers() public {
        DigestProbe probe = deployProbe();
        checkCloses(probe, ".closesByPayee");
        checkCloses(probe, ".closesByDevice");
    }

    function test_exit_digests_and_signers() public {
        DigestProbe probe = deployProbe();
        uint256 count = 0;
        for (; has(".exits", count); count++) {
            string memory path = item(".exits", count);
            bytes32 digest = probe.exitDigest(
                vm.parseJsonBytes32(vectors, key(path, ".channelId")), vm.parseJsonUint(vectors, key(path, ".deadline"))
            );
            check(probe, path, digest);
        }
        vm.assertEq(count, 2);
    }

    function test_deposit_nonces() public {
        DigestProbe probe = deployProbe();
        uint256 count = 0;
        for (; has(".depositNonces", count); count++) {
            string memory path = item(".depositNonces", count);
            bytes32 nonce = probe.depositNonce(
                vm.parseJsonBytes32(vectors, key(path, ".channelId")), vm.parseJsonUint(vectors, key(path, ".n"))
            );
            vm.assertEq(nonce, vm.parseJsonBytes32(vectors, key(path, ".nonce")));
        }
        vm.assertEq(count, 9);
    }

    function test_malformed_signatures_have_no_signer() public {
        DigestProbe probe = deployProbe();
        bytes32 digest = vm.parseJsonBytes32(vectors, ".vouchers[0].digest");
        uint256 count = 0;
        for (; has(".malformedSignatures", count); count++) {
            IShareChannels.Signature memory signature = signatureAt(item(".malformedSignatures", count));
            vm.assertEq(probe.recover(digest, signature), address(0));
        }
        vm.assertEq(count, 6);
    }

    function test_the_vectors_authorisation_opens_the_vectors_channel_and_its_vouchers_can_be_claimed() public {
        deployChannelsAsInVectors();
        vm.assertEq(address(token), vm.parseJsonAddress(vectors, ".domains.token.verifyingContract"));
        vm.assertEq(token.DOMAIN_SEPARATOR(), vm.parseJsonBytes32(vectors, ".domains.token.separator"));
        IShareChannels.ChannelConfig memory config = configAt(".channelConfigs[0]");
        IShareChannels.Signature memory signature = signatureAt(".authorizations[0]");
        uint256 validBefore = vm.parseJsonUint(vectors, ".authorizations[0].validBefore");
        channels.openWithAuthorization(config, 1_000_000, 0, validBefore, 0, signature);
        for (uint256 i = 0; i < 3; i++) {
            string memory path = item(".vouchers", i);
            uint64 ceiling = uint64(vm.parseJsonUint(vectors, key(path, ".amount")));
            uint64 ackBytes = uint64(vm.parseJsonUint(vectors, key(path, ".ackBytes")));
            uint64 amount = ceiling < 1_000_000 ? ceiling : 1_000_000;
            vm.prank(config.payee);
            channels.claim(one(IShareChannels.Claim(config, amount, ceiling, ackBytes, signatureAt(path))));
            vm.assertEq(channels.earned(config.payee), amount);
        }
    }

    function checkCloses(DigestProbe probe, string memory list) private view {
        uint256 count = 0;
        for (; has(list, count); count++) {
            string memory path = item(list, count);
            bytes32 id = vm.parseJsonBytes32(vectors, key(path, ".channelId"));
            check(probe, path, probe.closeDigest(id, uint64(vm.parseJsonUint(vectors, key(path, ".amount")))));
        }
        vm.assertEq(count, 2);
    }

    function check(DigestProbe probe, string memory path, bytes32 digest) private view {
        vm.assertEq(digest, vm.parseJsonBytes32(vectors, key(path, ".digest")));
        string memory name = vm.parseJsonString(vectors, key(path, ".signedBy"));
        address expected = vm.parseJsonAddress(vectors, string.concat(".keys.", name, ".address"));
        vm.assertEq(probe.recover(digest, signatureAt(path)), expected);
    }

    /// @dev The token has to be there first, though its address is that of the second contract.
    function deployChannelsAsInVectors() private {
        address holder = vm.parseJsonAddress(vectors, ".keys.payer.address");
        vm.setNonceUnsafe(DEPLOYER, 1);
        vm.prank(DEPLOYER);
        token = SspToken(deployArtifact("SspToken", abi.encode(holder, SUPPLY)));
        vm.setNonceUnsafe(DEPLOYER, 0);
        vm.prank(DEPLOYER);
        channels = deployChannels(address(token));
        vm.assertEq(address(channels), vm.parseJsonAddress(vectors, ".contract"));
    }

    function deployProbe() private returns (DigestProbe probe) {
        vm.prank(DEPLOYER);
        probe = new DigestProbe();
        vm.assertEq(address(probe), vm.parseJsonAddress(vectors, ".contract"));
    }

    function configAt(string memory path) private view returns (IShareChannels.ChannelConfig memory) {
        return IShareChannels.ChannelConfig({
            payer: vm.parseJsonAddress(vectors, key(path, ".payer")),
            signer: vm.parseJsonAddress(vectors, key(path, ".signer")),
            payee: vm.parseJsonAddress(vectors, key(path, ".payee")),
            device: vm.parseJsonAddress(vectors, key(path, ".device")),
            expiry: uint40(vm.parseJsonUint(vectors, key(path, ".expiry"))),
            exitDelay: uint40(vm.parseJsonUint(vectors, key(path, ".exitDelay"))),
            salt: vm.parseJsonBytes32(vectors, key(path, ".salt"))
        });
    }

    function signatureAt(string memory path) private view returns (IShareChannels.Signature memory) {
        bytes memory compact = vm.parseJsonBytes(vectors, key(path, ".signature"));
        return abi.decode(compact, (IShareChannels.Signature));
    }

    function has(string memory list, uint256 index) private view returns (bool) {
        return vm.keyExistsJson(vectors, item(list, index));
    }

    function item(string memory list, uint256 index) private pure returns (string memory) {
        return string.concat(list, "[", vm.toString(index), "]");
    }

    function key(string memory path, string memory field) private pure returns (string memory) {
        return string.concat(path, field);
    }
}
