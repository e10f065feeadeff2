/** Made by the build. */
declare module 'virtual:palette.css';
declare module '*.css';
