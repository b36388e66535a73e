package dev.outbox.spring.boot;

import dev.outbox.processes.Await;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.devtools.restart.Restarter;
import org.springframework.context.ConfigurableApplicationContext;

/** Publishes an order, is restarted by devtools, publishes another one and ends. */
public final class RestartedShop {
    static final String PUBLISHED = "published, loaded by ";

    private RestartedShop() {}

    public static void main(String[] args) throws Exception {
        ConfigurableApplicationContext application = SpringApplication.run(Applications.Shop.class, args);
        application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
        Broker broker = application.getBean(Broker.class);
        Await.until("the order is published", () -> broker.sent.size() == 1);
        ClassLoader loader = RestartedShop.class.getClassLoader();
        System.out.println(PUBLISHED + loader.getClass().getSimpleName() + System.identityHashCode(loader));
        if (System.setProperty("restarted", "true") == null) {
            Restarter.getInstance().restart();
        } else {
            System.exit(0);
        }
    }
}
