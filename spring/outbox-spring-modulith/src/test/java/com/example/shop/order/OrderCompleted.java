package com.example.shop.order;

import org.springframework.modulith.events.Externalized;

@Externalized("orders::#{customer()}")
public record OrderCompleted(String number, String customer) {}
