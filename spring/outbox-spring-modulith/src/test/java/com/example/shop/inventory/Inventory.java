package com.example.shop.inventory;

import com.example.shop.order.OrderCompleted;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.springframework.modulith.events.ApplicationModuleListener;
import org.springframework.stereotype.Component;

/** A listener of another module, which Spring Modulith's own registry keeps events for. */
@Component
public class Inventory {
    private final Set<String> updated = ConcurrentHashMap.newKeySet();

    @ApplicationModuleListener
    void on(OrderCompleted event) {
        updated.add(event.number());
    }

    public Set<String> updated() {
        return updated;
    }
}
