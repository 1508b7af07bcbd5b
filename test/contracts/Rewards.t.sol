// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RewardsHandler} from "./RewardsHandler.sol";
import {RewardsTest} from "./RewardsTest.sol";

contract RewardsInvariantsTest is RewardsTest {
    RewardsHandler private handler;

    function setUp() public override {
        super.setUp();
        bind(DEVICE_KEY, operator, 0);
        bind(SIGNER_KEY, operator, 0);
        bind(STRANGER_KEY, operator, 0);
        handler = new RewardsHandler(channels, registry, rewards, token);
    }

    /// @dev Asked by forge.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Each claimed reward left the reserve exactly once, no week cost more than its budget, and all of it is less
    /// than the fees that are burned or will be at the withdrawal.
    /// forge-config: default.invariant.runs = 5
    /// forge-config: default.invariant.depth = 48
    function invariant_no_budget_is_exceeded_nothing_is_paid_twice_and_nobody_profits() public view {
        uint256 paid = 0;
        uint256 claimedInAll = 0;
        for (uint256 epoch = first; epoch <= block.timestamp / EPOCH; epoch++) {
            uint256 ofWeek = 0;
            for (uint256 i = 0; i < 3; i++) {
                uint256 reward = rewards.rewardOf(handler.deviceAt(i), epoch);
                ofWeek += reward;
                if (rewards.isClaimed(handler.deviceAt(i), epoch)) paid += reward;
            }
            vm.assertLe(ofWeek, rewards.epochBudget(epoch));
            claimedInAll += channels.claimedInEpoch(epoch);
        }
        vm.assertEq(token.balanceOf(address(rewards)), RESERVE - paid);
        vm.assertEq(token.balanceOf(operator), 1_000_000_000 + paid);
        uint256 fees = token.balanceOf(BURNED) + channels.feePot() + channels.earned(payee) / 10;
        vm.assertLe(claimedInAll / 10, fees + 1);
        vm.assertLe(10 * paid, 9 * (fees + 1));
    }

    /// @dev That the handler pays, claims and burns, so that the invariant above says something.
    function test_the_handler_pays_and_claims() public {
        handler.payOver(0, 1_000_000);
        handler.payOver(1, 300_000_000_000);
        handler.nextWeek();
        handler.claim(0, 0, 0);
        handler.claim(1, 0, 0);
        handler.withdrawAndBurn();
        vm.assertTrue(rewards.isClaimed(device, first));
        vm.assertEq(token.balanceOf(operator), 1_000_000_000 + 90_000 + 27_000_000_000);
        vm.assertEq(token.balanceOf(BURNED), 30_000_100_001);
    }
}
