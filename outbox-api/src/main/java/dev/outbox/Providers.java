package dev.outbox;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.function.Function;

/** What {@link ServiceLoader} finds of a service. */
final class Providers {
    private Providers() {}

    /**
     * Both the loader of the application and our own are asked: in containers either may see the provider alone.
     *
     * @param what a provider of this service is, for the error text
     */
    static <S> List<S> all(Class<S> service, String what) {
        Map<Class<?>, S> found = new LinkedHashMap<>();
        collect(ServiceLoader.load(service), found, what);
        collect(ServiceLoader.load(service, Providers.class.getClassLoader()), found, what);
        return new ArrayList<>(found.values());
    }

    private static <S> void collect(ServiceLoader<S> loader, Map<Class<?>, S> found, String what) {
        try {
            for (Iterator<S> i = loader.iterator(); i.hasNext(); ) {
                S provider = i.next();
                found.putIfAbsent(provider.getClass(), provider);
            }
        } catch (ServiceConfigurationError e) {
            throw new ConfigurationException("A " + what + " on the class path cannot be loaded: " + e.getMessage(), e);
        }
    }

    /** Their descriptions, in an order that is always the same. */
    static <S> String described(List<S> providers, Function<S, String> description) {
        return String.join("; ", providers.stream().map(description).sorted().toList());
    }
}
