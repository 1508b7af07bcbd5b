// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShareChannels} from "../../contracts/IShareChannels.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract EarningsTest is ChannelTest {
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;

    function testFuzz_anyone_withdraws_for_the_payee_less_the_fee_rounded_up(uint64 amount, address anyone) public {
        amount = uint64(bound(amount, 1, SUPPLY));
        earn(amount);
        uint256 fee = (uint256(amount) * FEE_BASIS_POINTS + 9_999) / 10_000;
        vm.expectEmit(true, true, true, true, address(channels));
        emit IShareChannels.Withdrawn(payee, amount - fee, fee);
        vm.prank(anyone);
        channels.withdraw(payee);
        vm.assertEq(token.balanceOf(payee), amount - fee);
        vm.assertEq(channels.feePot(), fee);
        vm.assertEq(channels.earned(payee), 0);
    }

    function testFuzz_withdrawing_in_parts_never_lowers_the_fee(uint64 first, uint64 second) public {
        first = uint64(bound(first, 1, SUPPLY / 2));
        second = uint64(bound(second, 1, SUPPLY / 2));
        earn(first);
        channels.withdraw(payee);
        earn(second);
        channels.withdraw(payee);
        uint256 atOnce = ((uint256(first) + second) * FEE_BASIS_POINTS + 9_999) / 10_000;
        vm.assertLe(atOnce, channels.feePot());
        vm.assertLe(channels.feePot(), atOnce + 1);
    }

    function test_nothing_earned_nothing_withdrawn() public {
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NothingToWithdraw.selector, payee));
        channels.withdraw(payee);
    }

    function testFuzz_anyone_burns_the_fees(uint64 amount, address anyone) public {
        vm.expectRevert(IShareChannels.NothingToBurn.selector);
        channels.burnFees();
        amount = uint64(bound(amount, 1, SUPPLY));
        earn(amount);
        channels.withdraw(payee);
        uint256 fee = channels.feePot();
        vm.prank(anyone);
        channels.burnFees();
        vm.assertEq(token.balanceOf(BURNED), fee);
        vm.assertEq(channels.feePot(), 0);
        vm.assertEq(token.balanceOf(address(channels)), 0);
    }

    function test_without_a_fee_the_payee_gets_all() public {
        channels = IShareChannels(deployArtifact("ShareChannels", abi.encode(address(token), 0)));
        vm.prank(payer);
        token.approve(address(channels), type(uint256).max);
        earn(777);
        channels.withdraw(payee);
        vm.assertEq(token.balanceOf(payee), 777);
    }

    function test_a_fee_above_the_limit_cannot_be_deployed() public {
        refuses(IShareChannels.FeeTooHigh.selector, 2_000, 2_001);
        this.deploy(address(token), 2_001);
    }

    function test_something_that_is_no_contract_cannot_be_the_token() public {
        vm.expectRevert(abi.encodeWithSelector(IShareChannels.NotAToken.selector, stranger));
        this.deploy(stranger, 0);
    }

    /// @dev A call of its own, so that expectRevert sees the constructor's error.
    function deploy(address forToken, uint256 fee) external {
        deployArtifact("ShareChannels", abi.encode(forToken, fee));
    }

    function earn(uint64 amount) private {
        IShareChannels.ChannelConfig memory config = open(amount ^ channels.feePot() << 64, amount);
        vm.prank(device);
        channels.close(claimOf(config, amount, amount));
    }
}
