// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract ClaimingTest is ChannelTest {
    uint64 private constant DEPOSIT = 1_000_000;

    IShareChannels.ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        config = open(1, DEPOSIT);
    }

    function testFuzz_the_router_claims_up_to_the_ceiling(uint64 amount, uint64 ceiling, bool byDevice) public {
        ceiling = uint64(bound(ceiling, 1, type(uint64).max));
        amount = uint64(bound(amount, 1, ceiling < DEPOSIT ? ceiling : DEPOSIT));
        claimAs(byDevice ? device : payee, claimOf(config, amount, ceiling));
        vm.assertEq(stateOf(config).claimed, amount);
        vm.assertEq(channels.earned(payee), amount);
        vm.assertEq(token.balanceOf(address(channels)), DEPOSIT);
    }

    function test_Claimed_tells_device_and_delta() public {
        claimAs(device, claimOf(config, 300, 300));
        vm.expectEmit(true, true, true, true, address(channels));
        emit IShareChannels.Claimed(idOf(config), device, 200, 500);
        claimAs(device, claimOf(config, 500, 600));
    }

    function test_claiming_above_the_ceiling_is_refused() public {
        IShareChannels.Claim memory item = claimOf(config, 501, 500);
        refuses(IShareChannels.AmountAboveCeiling.selector, 500, 501);
        claimAs(device, item);
    }

    function test_claiming_above_the_deposit_is_refused() public {
        IShareChannels.Claim memory item = claimOf(config, DEPOSIT + 1, DEPOSIT + 1);
        refuses(IShareChannels.AmountAboveDeposit.selector, DEPOSIT, DEPOSIT + 1);
        claimAs(device, item);
    }

    function test_a_voucher_by_anyone_but_the_signer_is_refused() public {
        IShareChannels.Claim memory item = claimSignedBy(PAYER_KEY, config, 500, 500);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.WrongSigner.selector, signer, payer));
        claimAs(device, item);
    }

    function testFuzz_a_raised_voucher_is_refused(uint64 ceiling, uint64 ackBytes) public {
        IShareChannels.Claim memory item = claimOf(config, 100, 500);
        vm.assume(ceiling >= 100 && (ceiling != 500 || ackBytes != item.ackBytes));
        item.ceiling = ceiling;
        item.ackBytes = ackBytes;
        vm.expectRevert();
        claimAs(device, item);
    }

    function testFuzz_a_signature_that_is_none_is_refused(bytes32 r, bytes32 vs) public {
        IShareChannels.Claim memory item = claimOf(config, 100, 500);
        vm.assume(r != item.signature.r);
        item.signature = IShareChannels.Signature(r, vs);
        vm.expectRevert();
        claimAs(device, item);
    }

    function test_third_parties_cannot_claim_not_even_payer_or_signer() public {
        IShareChannels.Claim memory item = claimOf(config, 500, 500);
        address[3] memory others = [stranger, payer, signer];
        for (uint256 i = 0; i < others.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotPayeeOrDevice.selector, payee, device, others[i]));
            claimAs(others[i], item);
        }
    }

    function test_a_voucher_of_another_channel_is_refused() public {
        IShareChannels.ChannelConfig memory other = open(2, DEPOSIT);
        IShareChannels.Claim memory item = claimOf(other, 500, 500);
        item.config = config;
        vm.expectRevert();
        claimAs(device, item);
    }

    function test_a_voucher_of_another_contract_is_refused() public {
        IShareChannels.Claim memory item = claimOf(config, 500, 500);
        channels = deployChannels(address(token));
        vm.prank(payer);
        token.approve(address(channels), DEPOSIT);
        open(1, DEPOSIT);
        vm.expectRevert();
        claimAs(device, item);
    }

    function test_after_a_fork_of_the_chain_old_vouchers_and_old_ids_are_void() public {
        IShareChannels.Claim memory item = claimOf(config, 500, 500);
        vm.chainId(1);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.ChannelNotOpen.selector, idOf(config)));
        claimAs(device, item);
    }

    function testFuzz_a_replayed_or_older_claim_changes_nothing(uint64 claimed, uint64 older) public {
        claimed = uint64(bound(claimed, 1, DEPOSIT));
        older = uint64(bound(older, 0, claimed));
        claimAs(device, claimOf(config, claimed, DEPOSIT));
        claimAs(device, claimOf(config, older, DEPOSIT));
        vm.assertEq(stateOf(config).claimed, claimed);
        vm.assertEq(channels.earned(payee), claimed);
    }

    function test_a_closed_channel_in_a_batch_does_not_spoil_it() public {
        IShareChannels.ChannelConfig memory other = open(2, DEPOSIT);
        vm.prank(payee);
        channels.close(claimOf(config, 0, 0));
        IShareChannels.Claim[] memory claims = new IShareChannels.Claim[](2);
        claims[0] = claimOf(config, 500, 500);
        claims[1] = claimOf(other, 700, 700);
        vm.prank(device);
        channels.claim(claims);
        vm.assertEq(stateOf(config).claimed, 0);
        vm.assertEq(channels.earned(payee), 700);
    }

    function test_a_false_claim_in_a_batch_undoes_all_of_it() public {
        IShareChannels.ChannelConfig memory other = open(2, DEPOSIT);
        IShareChannels.Claim[] memory claims = new IShareChannels.Claim[](2);
        claims[0] = claimOf(config, 500, 500);
        claims[1] = claimSignedBy(STRANGER_KEY, other, 700, 700);
        vm.expectRevert();
        vm.prank(device);
        channels.claim(claims);
        vm.assertEq(channels.earned(payee), 0);
    }

    function test_a_channel_that_never_opened_cannot_be_claimed() public {
        IShareChannels.Claim memory item = claimOf(newConfig(9), 500, 500);
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.ChannelNotOpen.selector, idOf(item.config)));
        claimAs(device, item);
    }

    function testFuzz_a_batch_over_channels_earns_the_sum(uint64[8] memory amounts) public {
        IShareChannels.Claim[] memory claims = new IShareChannels.Claim[](amounts.length);
        uint256 sum = 0;
        for (uint256 i = 0; i < amounts.length; i++) {
            uint64 amount = uint64(bound(amounts[i], 1, DEPOSIT));
            claims[i] = claimOf(open(10 + i, DEPOSIT), amount, amount);
            sum += amount;
        }
        vm.prank(payee);
        channels.claim(claims);
        vm.assertEq(channels.earned(payee), sum);
    }

    function test_claims_are_still_good_after_expiry_and_exit_until_somebody_reclaims() public {
        vm.prank(payer);
        channels.requestExit(config);
        vm.warp(config.expiry + 1);
        claimAs(device, claimOf(config, 500, 500));
        vm.assertEq(channels.earned(payee), 500);
    }

    function claimAs(address sender, IShareChannels.Claim memory item) private {
        IShareChannels.Claim[] memory claims = one(item);
        vm.prank(sender);
        channels.claim(claims);
    }
}
