package dev.outbox.spring.boot;

record OrderPlaced(String orderNumber) {}
