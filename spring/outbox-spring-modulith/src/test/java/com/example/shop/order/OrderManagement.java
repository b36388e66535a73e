package com.example.shop.order;

import org.springframework.context.ApplicationEventPublisher;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

@Service
public class OrderManagement {
    private final JdbcTemplate jdbc;
    private final ApplicationEventPublisher events;

    OrderManagement(JdbcTemplate jdbc, ApplicationEventPublisher events) {
        this.jdbc = jdbc;
        this.events = events;
    }

    @Transactional
    public void complete(String number, String customer) {
        jdbc.update("insert into completed values (?)", number);
        events.publishEvent(new OrderCompleted(number, customer));
    }
}
