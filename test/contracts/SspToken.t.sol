// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SspToken} from "../../contracts/tokens/SspToken.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract SspTokenTest is ChannelTest {
    bytes32 private constant NONCE = keccak256("a nonce");

    function test_it_has_the_shape_of_ssp() public view {
        vm.assertEq(token.decimals(), 4);
        vm.assertEq(token.totalSupply(), SUPPLY);
        vm.assertEq(token.balanceOf(payer), SUPPLY);
        vm.assertEq(keccak256(bytes(token.symbol())), keccak256("SSP"));
    }

    function testFuzz_transfer_moves_and_never_makes(uint256 value, address to) public {
        vm.prank(payer);
        if (value > SUPPLY) refuses(SspToken.BalanceTooLow.selector, SUPPLY, value);
        token.transfer(to, value);
        if (value > SUPPLY || to == payer) return;
        vm.assertEq(token.balanceOf(payer), SUPPLY - value);
        vm.assertEq(token.balanceOf(to), value);
    }

    function testFuzz_transferFrom_keeps_to_the_allowance(uint256 allowed, uint256 value) public {
        allowed = bound(allowed, 0, SUPPLY);
        value = bound(value, 0, SUPPLY);
        vm.prank(payer);
        token.approve(stranger, allowed);
        if (value > allowed) refuses(SspToken.AllowanceTooLow.selector, allowed, value);
        vm.prank(stranger);
        token.transferFrom(payer, stranger, value);
        vm.assertEq(token.allowance(payer, stranger), value > allowed ? allowed : allowed - value);
    }

    function testFuzz_permit_approves_once(uint256 value) public {
        bytes32 structHash = keccak256(abi.encode(token.PERMIT_TYPEHASH(), payer, stranger, value, 0, START));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digest(structHash));
        token.permit(payer, stranger, value, START, v, r, s);
        vm.assertEq(token.allowance(payer, stranger), value);
        vm.expectRevert();
        token.permit(payer, stranger, value, START, v, r, s);
        vm.warp(START + 1);
        refuses(SspToken.Expired.selector, START, START + 1);
        token.permit(payer, stranger, value, START, v, r, s);
    }

    function testFuzz_an_authorisation_transfers_once_within_its_time(uint256 value, bool receiving) public {
        value = bound(value, 0, SUPPLY);
        bytes32 typeHash =
            receiving ? token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH() : token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH();
        bytes32 structHash = keccak256(abi.encode(typeHash, payer, stranger, value, START, START + 10, NONCE));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digest(structHash));
        refuses(SspToken.NotValidYet.selector, START, START);
        use(receiving, value, v, r, s);
        vm.warp(START + 10);
        refuses(SspToken.Expired.selector, START + 10, START + 10);
        use(receiving, value, v, r, s);
        vm.warp(START + 1);
        vm.expectRevert();
        use(!receiving, value, v, r, s);
        use(receiving, value, v, r, s);
        vm.assertEq(token.balanceOf(stranger), value);
        vm.expectRevert(abi.encodeWithSelector(SspToken.AuthorizationIsUsed.selector, payer, NONCE));
        use(receiving, value, v, r, s);
    }

    function test_only_the_receiver_receives() public {
        vm.expectRevert(abi.encodeWithSelector(SspToken.CallerIsNotReceiver.selector, stranger, device));
        vm.prank(device);
        token.receiveWithAuthorization(payer, stranger, 1, START, START + 10, NONCE, 27, 0, 0);
    }

    function test_a_cancelled_authorisation_is_void() public {
        bytes32 structHash = keccak256(abi.encode(token.CANCEL_AUTHORIZATION_TYPEHASH(), payer, NONCE));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(PAYER_KEY, digest(structHash));
        token.cancelAuthorization(payer, NONCE, v, r, s);
        vm.assertTrue(token.authorizationState(payer, NONCE));
        vm.expectRevert(abi.encodeWithSelector(SspToken.AuthorizationIsUsed.selector, payer, NONCE));
        token.cancelAuthorization(payer, NONCE, v, r, s);
    }

    function test_the_separator_follows_the_chain() public {
        bytes32 before = token.DOMAIN_SEPARATOR();
        vm.chainId(999);
        vm.assertFalse(before == token.DOMAIN_SEPARATOR());
    }

    function use(bool receiving, uint256 value, uint8 v, bytes32 r, bytes32 s) private {
        vm.prank(stranger);
        if (receiving) {
            token.receiveWithAuthorization(payer, stranger, value, START, START + 10, NONCE, v, r, s);
        } else {
            token.transferWithAuthorization(payer, stranger, value, START, START + 10, NONCE, v, r, s);
        }
    }

    function digest(bytes32 structHash) private view returns (bytes32) {
        return keccak256(bytes.concat(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
    }
}
