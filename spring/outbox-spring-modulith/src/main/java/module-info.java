import org.jspecify.annotations.NullMarked;

/** Externalizes the events of Spring Modulith through an outbox. Nothing here is for applications to call. */
@NullMarked
module dev.outbox.spring.modulith {
    opens dev.outbox.spring.modulith;

    requires transitive dev.outbox.spring.boot;
    requires spring.beans;
    requires spring.boot.autoconfigure;
    requires spring.context;
    requires spring.core;
    requires spring.expression;
    requires static spring.modulith.events.api;
    requires static spring.modulith.events.core;
    requires static transitive org.jspecify;
}
