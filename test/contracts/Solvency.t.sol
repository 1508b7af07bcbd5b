// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelHandler} from "./ChannelHandler.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract SolvencyTest is ChannelTest {
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;

    ChannelHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new ChannelHandler(channels, token);
    }

    /// @dev Asked by forge.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_no_token_is_missing_and_none_is_too_many() public view {
        checkTheTokensHereAreOpenDepositsAndEarningsAndTheFeePot();
        checkWhatPayeesGotIsWhatWasClaimed();
    }

    function invariant_nobody_is_cheated_and_nothing_goes_back() public view {
        checkNobodyClaimsBeyondDepositOrSignedCeiling();
        string memory broken = handler.broken();
        vm.assertEq(bytes(broken).length, 0, broken);
    }

    function checkTheTokensHereAreOpenDepositsAndEarningsAndTheFeePot() private view {
        uint256 owed = channels.earned(payee) + channels.earned(stranger) + channels.feePot() + handler.donated();
        for (uint256 i = 0; i < handler.CHANNELS(); i++) {
            IShareChannels.Channel memory channel = channels.channels(idOf(handler.configOf(i)));
            if (!channel.closed) owed += channel.deposit - channel.claimed;
        }
        vm.assertEq(token.balanceOf(address(channels)), owed);
    }

    function checkNobodyClaimsBeyondDepositOrSignedCeiling() private view {
        for (uint256 i = 0; i < handler.CHANNELS(); i++) {
            IShareChannels.Channel memory channel = channels.channels(idOf(handler.configOf(i)));
            vm.assertLe(channel.claimed, channel.deposit);
            vm.assertLe(channel.claimed, handler.signedCeiling(i));
        }
    }

    function checkWhatPayeesGotIsWhatWasClaimed() private view {
        uint256 claimed = 0;
        for (uint256 i = 0; i < handler.CHANNELS(); i++) {
            claimed += channels.channels(idOf(handler.configOf(i))).claimed;
        }
        uint256 paidOut = token.balanceOf(payee) + token.balanceOf(stranger) + token.balanceOf(BURNED);
        uint256 waiting = channels.earned(payee) + channels.earned(stranger) + channels.feePot();
        vm.assertEq(paidOut + waiting, claimed);
        uint256 inWeeks = 0;
        for (uint256 epoch = START / 7 days; epoch <= block.timestamp / 7 days; epoch++) {
            vm.assertEq(channels.claimedFor(epoch, device), channels.claimedInEpoch(epoch));
            inWeeks += channels.claimedFor(epoch, device);
        }
        vm.assertEq(inWeeks, claimed);
    }

    /// @dev That the handler reaches every state, so that the invariants above say something.
    function test_the_handler_opens_claims_closes_and_reclaims() public {
        handler.open(0, 500, false, 0);
        handler.open(1, 500, true, 0);
        handler.open(2, 500, true, 0);
        // vouched() takes amounts modulo what is possible: these are 300 of 400 out of 500.
        handler.claim(0, 300, 400, true);
        vm.assertEq(channels.channels(idOf(handler.configOf(0))).claimed, 300);
        handler.claimTicks(3, 5, 1, 1, true);
        handler.close(0, 400, 400, true);
        vm.assertTrue(channels.channels(idOf(handler.configOf(0))).closed);
        handler.requestExit(1);
        for (uint256 i = 0; i < 20; i++) {
            handler.wait_(7 days / 20 - 1);
        }
        handler.reclaim(1);
        vm.assertTrue(channels.channels(idOf(handler.configOf(1))).closed);
        handler.wait_(7 days / 20 - 1);
        handler.reclaim(2);
        vm.assertTrue(channels.channels(idOf(handler.configOf(2))).closed);
        handler.withdraw(true);
        handler.burnFees();
        vm.assertEq(token.balanceOf(payee), 360);
        vm.assertEq(bytes(handler.broken()).length, 0, handler.broken());
    }
}
