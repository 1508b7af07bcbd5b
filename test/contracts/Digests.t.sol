// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ChannelDigests} from "../../contracts/ChannelDigests.sol";
import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {DigestProbe} from "./DigestProbe.sol";
import {VectorTest} from "./VectorTest.sol";
import {StandInPermit2} from "./tokens/StandInPermit2.sol";

contract DigestsTest is VectorTest {
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

    function test_tick_voucher_digests_and_chains() public {
        DigestProbe probe = deployProbe();
        uint256 count = 0;
        for (; has(".tickVouchers", count); count++) {
            string memory path = item(".tickVouchers", count);
            bytes32 anchor = vm.parseJsonBytes32(vectors, key(path, ".anchor"));
            uint32 ticks = uint32(vm.parseJsonUint(vectors, key(path, ".ticks")));
            bytes32 digest = probe.tickVoucherDigest(
                vm.parseJsonBytes32(vectors, key(path, ".channelId")),
                uint64(vm.parseJsonUint(vectors, key(path, ".amount"))),
                anchor,
                uint32(vm.parseJsonUint(vectors, key(path, ".tickValue"))),
                ticks
            );
            check(probe, path, digest);
            bytes32 word = vm.parseJsonBytes32(vectors, key(item(".tickChains", count), ".seed"));
            for (uint256 i = 0; i < ticks; i++) {
                if (i == ticks - 1) {
                    vm.assertEq(word, vm.parseJsonBytes32(vectors, key(item(".tickChains", count), ".firstPreimage")));
                }
                word = keccak256(abi.encode(word));
            }
            vm.assertEq(word, anchor);
        }
        vm.assertEq(count, 4);
    }

    function test_claim_batch_roots_and_digests() public {
        DigestProbe probe = deployProbe();
        uint256 count = 0;
        for (; has(".claimBatches", count); count++) {
            string memory path = item(".claimBatches", count);
            bytes memory words;
            for (uint256 i = 0; has(key(path, ".claims"), i); i++) {
                string memory claim = item(key(path, ".claims"), i);
                bytes32 id = vm.parseJsonBytes32(vectors, key(claim, ".channelId"));
                words = bytes.concat(words, id, bytes32(vm.parseJsonUint(vectors, key(claim, ".amount"))));
            }
            vm.assertEq(keccak256(words), vm.parseJsonBytes32(vectors, key(path, ".root")));
            check(probe, path, probe.claimBatchDigest(keccak256(words)));
        }
        vm.assertEq(count, 2);
    }

    function test_the_vectors_Permit2_transfer_opens_the_vectors_channel() public {
        deployChannelsAsInVectors();
        vm.etch(PERMIT2, address(new StandInPermit2()).code);
        IShareChannels.ChannelConfig memory config = configAt(".channelConfigs[0]");
        vm.prank(config.payer);
        token.approve(PERMIT2, 1_000_000);
        uint256 deadline = vm.parseJsonUint(vectors, ".permit2Transfers[0].deadline");
        IShareChannels.Signature memory signature = signatureAt(".permit2Transfers[0]");
        channels.openWithPermit2(config, 1_000_000, deadline, 0, signature);
        vm.assertEq(stateOf(config).deposit, 1_000_000);
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
}
