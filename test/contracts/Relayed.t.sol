// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

/// @dev Claims relayed by anyone, and the weekly accounts of devices that rewards come from.
contract RelayedTest is ChannelTest {
    uint64 private constant DEPOSIT = 1_000_000;

    function testFuzz_anyone_relays_a_batch_of_device_or_payee(uint64 a, uint64 b, bool byDevice, address relayer)
        public
    {
        IShareChannels.Claim[] memory claims = two(a, b);
        IShareChannels.Signature memory signature = batchSignature(byDevice ? DEVICE_KEY : PAYEE_KEY, claims);
        vm.prank(relayer);
        channels.claimWithSig(claims, signature);
        uint256 sum = uint256(claims[0].amount) + claims[1].amount;
        vm.assertEq(channels.earned(payee), sum);
        // Again: nothing.
        channels.claimWithSig(claims, signature);
        vm.assertEq(channels.earned(payee), sum);
    }

    function testFuzz_a_relayer_can_change_neither_amounts_nor_channels_nor_their_order(uint8 what) public {
        IShareChannels.Claim[] memory claims = two(500, 700);
        IShareChannels.Signature memory signature = batchSignature(DEVICE_KEY, claims);
        what = what % 4;
        if (what == 0) claims[0].amount -= 1;
        if (what == 1) (claims[0], claims[1]) = (claims[1], claims[0]);
        if (what == 2) claims = one(claims[0]);
        if (what == 3) claims[1] = claimOf(open(3, DEPOSIT), 700, 700);
        vm.expectPartialRevert(IShareChannels.NotPayeeOrDevice.selector);
        channels.claimWithSig(claims, signature);
    }

    function test_a_strangers_batch_and_a_batch_of_another_owners_channel_are_refused() public {
        IShareChannels.Claim[] memory claims = two(500, 700);
        IShareChannels.Signature memory byStranger = batchSignature(STRANGER_KEY, claims);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, payee, device, stranger));
        channels.claimWithSig(claims, byStranger);
        IShareChannels.Signature memory none = noSignature();
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, payee, device, address(0)));
        channels.claimWithSig(claims, none);
        IShareChannels.ChannelConfig memory others = newConfig(9);
        (others.payee, others.device) = (stranger, signer);
        vm.prank(payer);
        channels.open(others, DEPOSIT);
        claims[1] = claimOf(others, 700, 700);
        IShareChannels.Signature memory byDevice = batchSignature(DEVICE_KEY, claims);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, stranger, signer, device));
        channels.claimWithSig(claims, byDevice);
    }

    /// @dev Four channels of two payees and two devices, mixed: sums are booked per run of equal ones.
    function testFuzz_every_payee_and_every_device_gets_its_own_sum(uint64[4] memory amounts, uint8 order) public {
        address[2] memory payees = [payee, stranger];
        address[2] memory devices = [device, signer];
        IShareChannels.Claim[] memory claims = new IShareChannels.Claim[](4);
        for (uint256 i = 0; i < 4; i++) {
            IShareChannels.ChannelConfig memory config = newConfig(i + 1);
            uint256 kind = (i + order) % 4;
            (config.payee, config.device) = (payees[kind / 2], devices[kind % 2]);
            vm.prank(payer);
            channels.open(config, DEPOSIT);
            uint64 amount = uint64(bound(amounts[kind], 1, DEPOSIT));
            amounts[kind] = amount;
            claims[i] = claimOf(config, amount, amount);
            IShareChannels.Claim[] memory single = one(claims[i]);
            if (kind % 2 == 0) {
                vm.prank(config.payee);
                channels.claim(single);
            } else {
                vm.prank(config.device);
                channels.close(claims[i]);
            }
        }
        uint256 epoch = block.timestamp / 7 days;
        vm.assertEq(channels.earned(payee), uint256(amounts[0]) + amounts[1]);
        vm.assertEq(channels.earned(stranger), uint256(amounts[2]) + amounts[3]);
        vm.assertEq(channels.claimedFor(epoch, device), uint256(amounts[0]) + amounts[2]);
        vm.assertEq(channels.claimedFor(epoch, signer), uint256(amounts[1]) + amounts[3]);
        vm.assertEq(channels.claimedInEpoch(epoch), uint256(amounts[0]) + amounts[1] + uint256(amounts[2]) + amounts[3]);
    }

    function test_one_batch_with_two_devices_books_each_its_own() public {
        IShareChannels.Claim[] memory claims = new IShareChannels.Claim[](3);
        for (uint256 i = 0; i < 3; i++) {
            IShareChannels.ChannelConfig memory config = newConfig(i + 1);
            if (i == 1) config.device = signer;
            vm.prank(payer);
            channels.open(config, DEPOSIT);
            claims[i] = claimOf(config, uint64(100 * (i + 1)), DEPOSIT);
        }
        vm.prank(payee);
        channels.claim(claims);
        uint256 epoch = block.timestamp / 7 days;
        vm.assertEq(channels.claimedFor(epoch, device), 400);
        vm.assertEq(channels.claimedFor(epoch, signer), 200);
        vm.assertEq(channels.earned(payee), 600);
    }

    function test_weeks_are_kept_apart_and_a_channel_without_a_device_counts_for_none() public {
        IShareChannels.ChannelConfig memory config = open(1, DEPOSIT);
        uint256 epoch = block.timestamp / 7 days;
        vm.prank(device);
        channels.claim(one(claimOf(config, 300, 300)));
        vm.warp((epoch + 1) * 7 days - 1);
        vm.prank(device);
        channels.claim(one(claimOf(config, 400, 400)));
        vm.warp((epoch + 1) * 7 days);
        config = newConfig(2);
        (config.device, config.expiry) = (address(0), uint40(block.timestamp + 1));
        vm.prank(payer);
        channels.open(config, DEPOSIT);
        vm.prank(payee);
        channels.close(claimOf(config, 500, 500));
        vm.assertEq(channels.claimedFor(epoch, device), 400);
        vm.assertEq(channels.claimedInEpoch(epoch), 400);
        vm.assertEq(channels.claimedInEpoch(epoch + 1), 0);
        vm.assertEq(channels.earned(payee), 900);
    }

    function two(uint64 a, uint64 b) private returns (IShareChannels.Claim[] memory claims) {
        claims = new IShareChannels.Claim[](2);
        claims[0] = claimOf(open(1, DEPOSIT), uint64(bound(a, 1, DEPOSIT)), DEPOSIT);
        claims[1] = claimOf(open(2, DEPOSIT), uint64(bound(b, 1, DEPOSIT)), DEPOSIT);
    }
}
